"""Images that do not fit into the memory of a job: it is given less than they take, and ends with the same files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
MARGIN = 48  # MiB of memory that the jobs may take beyond what the same jobs took on a few images
RUN = """
import json, resource, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/workflow"]
import in_process
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES

def run(content):
    grid = load_grid(content)
    for stage in STAGES.values():
        if stage.group != "tables":
            for subject in stage.subjects(grid):
                in_process.run_stage(stage, subject, content)

few, many = json.load(open("grids.json"))
run(few)
taken = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmData"))
most = taken * 1024 + int(sys.argv[2]) * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
try:
    run(many)
except (MemoryError, RuntimeError) as error:  # torch's allocator raises the latter
    sys.exit(9 if isinstance(error, MemoryError) or "allocate memory" in str(error) else 1)
"""


def grid(name: str, dataset: dict[str, Any]) -> dict[str, Any]:
    recipe = {
        "architecture": {"name": "cnn", "width": 2},
        "steps": 3,
        "batch_size": 16,
        "optimiser": {"learning_rate": 0.05},
        "block_size": 1,
        "snapshots": 0,
        "history_examples": 16,
        "augmentation": {"crop": 1, "flip": True},
        "device": "cpu",
    }
    return {
        "name": name,
        "datasets": {name: {**dataset, "validation": 0.02, "test": 0.02}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.4]}},
        "recipes": {"tiny": recipe},
        "methods": ["cross_entropy"],
    }


def own(folder: Path, name: str, n: int) -> dict[str, Any]:
    """Write n images of 32×32 in colour, 3 kB each."""
    rng, labels = np.random.default_rng(0), np.arange(n) % 4
    images = rng.integers(0, 60, (n, 32, 32, 3), dtype=np.uint8) + (40 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(folder / f"{name}.npz", images=images, labels=labels)
    return grid(name, {"kind": "arrays", "path": f"{name}.npz"})


def pets(folder: Path, name: str, n: int) -> dict[str, Any]:
    """Write n images of 40×40, which are read at 32×32."""
    for k in range(n):
        place = folder / name / "train" / f"class{k % 4}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (k % 256, 60 * (k % 4), k // 256)).save(place / f"{k}.bmp")
    return grid(name, {"kind": "folder", "path": name, "size": 32})


def run(folder: Path, grids: list[dict[str, Any]], *, images_mb: float, margin: int) -> int:
    (folder / "grids.json").write_text(json.dumps(grids), encoding="utf-8")
    command = [sys.executable, "-c", RUN, str(ROOT), str(margin)]
    environment = {**os.environ, "SMEARLAB_IMAGES_MB": str(images_mb), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode


def results(folder: Path) -> dict[str, bytes]:
    found = [path for path in (folder / "results").rglob("*") if path.is_file() and path.name != "timings.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_jobs_with_less_memory_than_the_images_take_end_with_the_same_files(tmp_path: Path) -> None:
    """30,000 images are 88 MiB."""
    grids = [own(tmp_path, "few", 200), own(tmp_path, "many", 30_000)]
    assert run(tmp_path, grids, images_mb=1024, margin=MARGIN) == 9
    assert run(tmp_path, grids, images_mb=4, margin=MARGIN) == 0
    from_files = results(tmp_path)
    assert run(tmp_path, grids, images_mb=1024, margin=4096) == 0
    assert results(tmp_path) == from_files and any(name.endswith("weights.safetensors") for name in from_files)


@pytest.mark.parametrize("images_mb", [0.01, 1024])
def test_a_folder_is_decoded_to_files(tmp_path: Path, images_mb: float) -> None:
    grids = [pets(tmp_path, "few", 100), pets(tmp_path, "many", 300)]
    assert run(tmp_path, grids, images_mb=images_mb, margin=MARGIN) == 0
    digests = {path: content for path, content in results(tmp_path).items() if "/data/many" in path}
    assert len(digests) == 4
