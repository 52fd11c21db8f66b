"""Results of 0.1.0 stand: its own code, taken from the history, and today's give the same numbers, bit for bit.

This is the proof behind smearlab/core/release_0_1_0.json. What is recorded there and no longer the code of today is
not asked for here: its results are made anew, as CHANGELOG.md says.
"""

import csv
import importlib
import json
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from smearlab.core import registry, releases
from smearlab.core.digest import root_digest
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES

ROOT = Path(__file__).parents[2]
COMMIT = "92353ff"  # 0.1.0
RECORD = json.loads(releases.RECORD.read_text(encoding="utf-8"))
N, L = 120, 10
RUN_OLD = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests/workflow"]
import in_process
in_process._tables = lambda grid: None
for content in json.load(open(sys.argv[2])):
    in_process.run_grid(content)
"""


def holds(kind: str) -> list[str]:
    """Return the entries of a kind whose code is still the one that the record speaks of."""
    prefix = f"smearlab.{kind}."
    roots = [root for root in RECORD["same"] if root.startswith(prefix)]
    return [root.removeprefix(prefix) for root in roots if root_digest(root) == RECORD["same"][root]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of 0.1.0."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", COMMIT], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"the history of this checkout does not hold {COMMIT}")
    folder = tmp_path_factory.mktemp("released")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


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


METHODS: dict[str, dict[str, Any]] = {"weight_decay": {"decay": 0.01}}
NOISES: dict[str, dict[str, Any]] = {
    "asymmetric": {"class_map": [0, 7, 7, 8, 4, 6, 5, 1, 8, 9]},
    "human": {"path": "human.csv", "column": "careless"},
    "matrix": {"path": "matrix.csv"},
    "matched_twin": {"of": {"kind": "human", "path": "human.csv", "column": "careless"}},
}
UNRATED = ("human", "labels", "matrix", "matched_twin")


def methods(*, today: bool) -> list[dict[str, Any]]:
    """Return all methods; those of today at the neutral values of options that 0.1.0 did not have."""
    corrected = {"transition": ["true", "perturbed(0.1)", *(f"estimated({name})" for name in holds("estimators"))]}
    found: list[dict[str, Any]] = []
    for name in holds("methods"):
        text = (ROOT / "smearlab" / "methods" / f"{name}.py").read_text(encoding="utf-8")
        later = registry.describe("methods", name).constants.get("LATER", {}) if today else {}
        method = {"name": name, **METHODS.get(name, {}), **later}
        method |= {"alphas": [0.2]} if "alpha: Annotated" in text else {}
        found.append(method | (corrected if "transition: Tensor)" in text else {}))
    return [*found, {"name": "label_smoothing", "alphas": [-0.5], "warm_up": 0.5}]


def grids(*, today: bool) -> list[dict[str, Any]]:
    own = {"own": {"kind": "arrays", "path": "own.npz"}}
    digits = {"digits": {"kind": "digits", "subset": 100, "test_subset": 40}}
    symmetric = {"symmetric": {"kind": "symmetric", "rates": [0.4]}}
    noises = {
        f"n_{kind}": {"kind": kind, **NOISES.get(kind, {}), **({} if kind in UNRATED else {"rates": [0.3]})}
        for kind in holds("noises")
    }
    step = {"name": "step", "milestones": [0.5], "factor": 0.2, "warmup": 0.2}
    recipes = {
        "steps": recipe(steps=9, epochs=None, schedule=step, augmentation={"crop": 1, "flip": True}, clip_norm=1.0),
        "residual": recipe(
            architecture={"name": "resnet8"}, schedule={"name": "constant"}, precision="bf16", checkpoint="selected"
        ),
    }
    students = [
        {"teachers": ["cross_entropy"], "methods": ["cross_entropy", "elr"], "labels": ["noisy", "clean"]},
        {"teachers": ["cross_entropy"], "temperatures": [2], "betas": [1], "student_temperature": 1.0},
    ]
    tiny, plain, one = {"recipes": {"tiny": recipe()}}, ["cross_entropy"], students[:1]
    return [
        {
            "name": "a",
            "datasets": own,
            "noises": symmetric,
            **tiny,
            "methods": methods(today=today),
            "students": students,
        },
        {"name": "b", "datasets": own, "noises": noises, **tiny, "methods": plain},
        {"name": "c", "datasets": digits, "noises": symmetric, "recipes": recipes, "methods": plain, "students": one},
    ]


def supply(folder: Path) -> None:
    """Write what the grids name."""
    bunch = load_digits()
    images, labels = (bunch.images[: N + 40] * 15.9).astype(np.uint8), bunch.target[: N + 40].astype(np.int64)
    careless = np.where(np.random.default_rng(1).random(len(labels)) < 0.3, (labels + 3) % L, labels)
    place = np.arange(len(labels))
    split = np.select([place >= N, place % 8 == 0], ["test", "validation"], "train")
    np.savez(folder / "own.npz", images=images, labels=labels, noisy_labels=careless, split=split)
    np.savetxt(folder / "matrix.csv", 0.8 * np.eye(L) + 0.2 / L, delimiter=",")
    with open(folder / "human.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["clean_label", "careless"], *zip(labels, careless, strict=True)])


def run_old(code: Path, folder: Path) -> None:
    (folder / "grids.json").write_text(json.dumps(grids(today=False)), encoding="utf-8")
    command = [sys.executable, "-c", RUN_OLD, str(code), "grids.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def run_new() -> None:
    """Run all jobs of the grids but the tables, in the working folder."""
    made: set[tuple[str, ...]] = set()
    for content in grids(today=True):
        grid = load_grid(content)
        for stage in (stage for stage in STAGES.values() if stage.group != "tables"):
            run = importlib.import_module(f"smearlab.stages.{stage.rule}").run
            for subject in stage.subjects(grid):
                outputs = stage.outputs(stage.place(subject))
                if (files := tuple(outputs.values())) not in made:
                    made.add(files)
                    run(stage.job(subject), {**stage.reads(subject), "config": content}, outputs)


@pytest.fixture(scope="module")
def both(released: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The results of the same grids by the code of 0.1.0 and by today's."""
    old, new = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("new")
    for folder in (old, new):
        supply(folder)
    run_old(released, old)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(new)
        run_new()
    return old / "results", new / "results"


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(pattern))


def test_the_same_files_are_made(both: tuple[Path, Path]) -> None:
    old, new = both
    beside = names(new, "timings.json")  # 0.1.0 had the times among the results
    assert (
        names(old, "*.*") == [name for name in names(new, "*.*") if name not in beside]
        and len(names(old, "weights.safetensors")) > 30
    )


@pytest.mark.parametrize("pattern", ["*.npz", "weights.safetensors", "audit.json", "training.json", "test.json"])
def test_byte_for_byte(both: tuple[Path, Path], pattern: str) -> None:
    old, new = both
    found = names(old, pattern)
    assert found and [name for name in found if (old / name).read_bytes() != (new / name).read_bytes()] == []


def test_histories_but_for_the_speed(both: tuple[Path, Path]) -> None:
    for name in names(both[0], "history.csv"):
        texts = [list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())) for folder in both]
        for row in (*texts[0], *texts[1]):
            row.pop("images_per_second", None)
        shared = texts[0][0].keys() if texts[0] else ()
        assert texts[0] == [{key: row[key] for key in shared} for row in texts[1]], name


TIMES = ("train_seconds", "images_per_second", "peak_memory_mb")


@pytest.mark.parametrize("pattern", ["run.json", "metrics.json", "[a-z]*_[a-z]*.json", "anchor*.json"])
def test_numbers_but_for_times_and_digests(both: tuple[Path, Path], pattern: str) -> None:
    for name in names(both[0], pattern):
        said = [json.loads((folder / name).read_text(encoding="utf-8"))["replicates"] for folder in both]
        assert len(said[0]) == len(said[1]), name
        for before, now in zip(*said, strict=True):
            assert without_times(before) == {key: without_times(now)[key] for key in without_times(before)}, name


def without_times(entry: dict[str, Any]) -> dict[str, Any]:
    metrics = entry.get("metrics")
    kept = {key: value for key, value in entry.items() if key not in (*TIMES, "metrics", "curves")}
    return kept | {f"metric {key}": value for key, value in (metrics or {}).items()}
