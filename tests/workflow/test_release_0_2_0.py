"""Results of 0.2.0 stand: its own code, taken from the history, and today's give the same numbers, bit for bit.

This is the proof behind smearlab/core/release_0_2_0.json, for what 0.1.0 did not have; the rest stands in
test_release_0_1_0.py.
"""

import json
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smearlab.core import releases
from smearlab.core.digest import root_digest

ROOT = Path(__file__).parents[2]
COMMIT = "1523b3b"  # 0.2.0
RECORD = json.loads(releases.RECORD_0_2_0.read_text(encoding="utf-8"))
RUN = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/workflow"]
import in_process
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES
for content in json.load(open("grids.json")):
    grid = load_grid(content)
    for stage in STAGES.values():
        if stage.group != "tables":
            for subject in stage.subjects(grid):
                in_process.run_stage(stage, subject, content)
"""
ADAMW = {"name": "adamw", "learning_rate": 0.01}


def recipe(**changes: Any) -> dict[str, Any]:
    return {
        "architecture": {"name": "cnn", "width": 4},
        "epochs": 2,
        "batch_size": 16,
        "optimiser": {"learning_rate": 0.05},
        "block_size": 2,
        "snapshots": 1,
        "estimate": {"folds": 2, "length": 0.5},
        **changes,
    }


def grids() -> list[dict[str, Any]]:
    symmetric = {"symmetric": {"kind": "symmetric", "rates": [0.4]}}
    student = {"teachers": ["cross_entropy"], "methods": ["cross_entropy"]}
    estimated = {"name": "forward", "transition": ["estimated(anchor)", "estimated(gold)"]}
    images = {
        "plain": recipe(augmentation={"crop": 1, "flip": True}, label_wave=True),
        "stacked": recipe(stacked=True, augmentation={"crop": 1, "flip": True}, optimiser=ADAMW),
        "mixed": recipe(mixup=0.3, sam_radius=0.05, clip_norm=1.0, class_weights="balanced", sampling="balanced"),
    }
    rows = {
        "linear": recipe(architecture={"name": "linear"}, optimiser=ADAMW),
        "mlp": recipe(architecture={"name": "mlp"}, stacked=True),
    }
    return [
        {
            "name": "images",
            "datasets": {"own": {"kind": "arrays", "path": "own.npz"}},
            "noises": symmetric,
            "recipes": images,
            "methods": ["cross_entropy", "gjs", "agce", estimated],
            "students": [student],
            "measure": "balanced_accuracy",
        },
        {
            "name": "rows",
            "datasets": {"wine": {"kind": "wine"}},
            "noises": symmetric,
            "recipes": rows,
            "methods": ["cross_entropy", {"name": "label_smoothing", "alphas": [0.2]}],
            "students": [student],
        },
    ]


def supply(folder: Path) -> None:
    """Write what the grids name."""
    rng, labels = np.random.default_rng(0), np.arange(100) % 4
    images = (rng.integers(0, 60, (100, 8, 8, 3)) + 40 * labels[:, None, None, None]).astype(np.uint8)
    np.savez(folder / "own.npz", images=images, labels=labels)
    (folder / "grids.json").write_text(json.dumps(grids()), encoding="utf-8")


def run(code: Path, folder: Path) -> None:
    supply(folder)
    command = [sys.executable, "-c", RUN, str(code)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The results of the same grids by the code of 0.2.0 and by today's."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", COMMIT], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the history of this checkout does not hold {COMMIT}")
    code, old, new = (tmp_path_factory.mktemp(name) for name in ("released", "old", "new"))
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(code, filter="data")
    run(code, old)
    run(ROOT, new)
    return old / "results", new / "results"


def test_what_the_record_holds_is_the_code_of_today_or_no_longer_asked_for() -> None:
    moved = {root for root, digest in RECORD["same"].items() if digest != RECORD["then"][root]}
    for root in sorted(moved):
        assert releases.standing(root, RECORD["same"][root]) == RECORD["then"][root]
        assert releases.standing(root, "another") == "another"
    stages = [root for root in RECORD["then"] if ".stages." in root]
    assert {root: root_digest(root) for root in stages} == {root: RECORD["same"][root] for root in stages}


@pytest.mark.parametrize("pattern", ["*.npz", "weights.safetensors", "audit.json", "training.json", "test.json"])
def test_byte_for_byte(both: tuple[Path, Path], pattern: str) -> None:
    old, new = both
    found = sorted(path.relative_to(old) for path in old.rglob(pattern))
    assert found and [str(name) for name in found if (old / name).read_bytes() != (new / name).read_bytes()] == []
