"""Files of a finished grid damaged one by one: the next stage refuses each by name, or the result is the same."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from projects import TINY, Project

from smearlab.core.errors import UserError
from smearlab.core.jobs import StatisticsJob
from smearlab.grid import jobs
from smearlab.grid.cells import Grid, load_grid
from smearlab.stages import evaluate_teacher
from smearlab.stages.collect import collect
from smearlab.stages.summarise import summarise_grid
from smearlab.store.files import read_sealed
from smearlab.store.labels import read_labels
from smearlab.store.tables import read_tables

TEACHER = "results/teachers/*/symmetric-*/rate=0.4/*/cross_entropy*/paired-0"
COLLECTED = {
    "run.json": f"{TEACHER}/run.json",
    "metrics.json": f"{TEACHER}/metrics.json",
    "history.csv": f"{TEACHER}/history.csv",
    "audit.json": "results/labels/*/symmetric-*/rate=0.4/seed=0/audit.json",
    "training.json": "results/data/*/training.json",
    "test.json": "results/data/*/test.json",
    "claims.json": "results/theory/claims.json",
}
KEYS = {"weights.safetensors": "weights", "run.json": "run", "test.npz": "test", "training.npz": "training"}
TABLES = ["metrics.parquet", "history.parquet", "curves.parquet", "context.json", "summary.csv", "choice.csv"]
Damage = Callable[[bytes, random.Random], bytes]


def flipped(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]


DAMAGES: dict[str, Damage] = {
    "one bit": flipped,
    "truncated": lambda data, draw: data[: draw.randrange(1, len(data) - 1)],
    "emptied": lambda data, draw: b"",
}


@pytest.fixture(scope="module")
def grid() -> Grid:
    return load_grid(TINY)


def collected(grid: Grid, folder: Path) -> list[Any]:
    """Return all that is collected from a folder; what it says of the machine that collects is left out."""
    with tempfile.TemporaryDirectory() as scratch:
        collect(grid, Path(scratch), results=folder / "results")
        frames = [pd.read_parquet(Path(scratch) / name) for name in TABLES if name.endswith(".parquet")]
        said = read_sealed(Path(scratch) / "context.json")
    return [*frames, {key: value for key, value in said.items() if key != "environment"}]


def same(one: list[Any], other: list[Any]) -> bool:
    return all(a.equals(b) if isinstance(a, pd.DataFrame) else a == b for a, b in zip(one, other, strict=True))


def damaged_copies(path: Path, seed: int, times: int) -> list[tuple[str, bytes]]:
    """Return damaged contents of a file: some bits flipped, some cuts, and nothing at all."""
    good, draw = path.read_bytes(), random.Random(seed)
    kinds = ["one bit"] * times + ["truncated"] * 2 + ["emptied"]
    return [(kind, DAMAGES[kind](good, draw)) for kind in kinds]


@pytest.mark.parametrize("name", COLLECTED)
def test_what_the_tables_are_made_of(name: str, finished: Project, grid: Grid) -> None:
    folder = finished.folder
    (path,) = folder.glob(COLLECTED[name])
    expected, refused = collected(grid, folder), 0
    for kind, content in damaged_copies(path, seed=len(name), times=6):
        path.write_bytes(content)
        try:
            found = collected(grid, folder)
        except UserError as error:
            refused += 1
            assert str(path) in str(error) and "\n" not in str(error) and "repair NAME makes it anew" in str(error)
        else:
            assert kind == "one bit" and same(found, expected), (kind, content)
    assert refused >= 6  # a bit of white space may be flipped without harm, hardly more


def test_a_folder_in_a_file_s_place_is_not_a_missing_cell(finished: Project, grid: Grid) -> None:
    (path,) = finished.folder.glob(COLLECTED["metrics.json"])
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=r"metrics\.json: is no plain file"):
        collected(grid, finished.folder)


@pytest.mark.parametrize(
    "one, other",
    [
        ("teachers/*/symmetric-*/rate=0.4/*/cross_entropy", "teachers/*/symmetric-*/rate=0.4/*/label_smoothing*"),
        ("teachers/*/symmetric-*/rate=0.4/*/cross_entropy", "teachers/*/clean/rate=0.0/*/cross_entropy"),
        ("labels/*/symmetric-*/rate=0.4/seed=0", "labels/*/symmetric-*/rate=0.4/seed=1"),
        ("labels/*/symmetric-*/rate=0.4/seed=0", "labels/*/clean/rate=0.0/seed=0"),
    ],
)
def test_whole_folders_in_each_other_s_place(one: str, other: str, finished: Project, grid: Grid) -> None:
    (first,), (second,) = (list((finished.folder / "results").glob(pattern)) for pattern in (one, other))
    aside = first.with_name("aside")
    first.rename(aside), second.rename(first), aside.rename(second)
    with pytest.raises(UserError, match="stands in another one's place") as error:
        collected(grid, finished.folder)
    assert str(first) in str(error.value) or str(second) in str(error.value)
    (block,) = finished.folder.glob(TEACHER)
    cell = grid.cells[str(block.parent.relative_to(finished.folder / "results"))]
    outputs = {"metrics": str(block / "new.json"), "examples": str(block / "new.npz")}
    with pytest.raises(UserError, match="stands in another one's place"):
        evaluate_teacher.run(jobs.evaluation_job(cell, "paired-0"), evaluation_inputs(finished.folder, block), outputs)
    assert not (block / "new.json").exists()


def test_every_sealed_file_of_a_grid_knows_its_place(unbroken: tuple[Project, Any], tmp_path: Path) -> None:
    results = unbroken[0].folder / "results"
    sealed = [path for path in sorted(results.rglob("*.json")) if "figures" not in path.parts]
    kinds = {path.name for path in sealed}
    assert kinds >= {"training.json", "test.json", "audit.json", "run.json", "metrics.json", "context.json"}
    for path in sealed:
        moved = tmp_path / "results" / "elsewhere" / path.relative_to(results)
        moved.parent.mkdir(parents=True, exist_ok=True)
        moved.write_bytes(path.read_bytes())
        read_sealed(path)
        with pytest.raises(UserError, match="stands in another one's place"):
            read_sealed(moved)


@pytest.mark.parametrize("name", TABLES)
def test_what_the_page_is_made_of(name: str, unbroken: tuple[Project, Any], tmp_path: Path) -> None:
    source = unbroken[0].folder / "results" / "tiny"
    for path in source.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for kind, content in damaged_copies(tmp_path / name, seed=len(name), times=3):
        (tmp_path / name).write_bytes(content)
        try:
            read_tables(tmp_path)
        except UserError as error:
            assert str(tmp_path / name) in str(error) and "\n" not in str(error)
        else:
            assert name == "context.json" and kind == "one bit", (kind, content)


def test_a_damaged_table_gets_no_statistics(unbroken: tuple[Project, Any], tmp_path: Path) -> None:
    source = unbroken[0].folder / "results" / "tiny"
    (tmp_path / "context.json").write_bytes((source / "context.json").read_bytes())
    (tmp_path / "metrics.parquet").write_bytes(flipped((source / "metrics.parquet").read_bytes(), random.Random(0)))
    with pytest.raises(UserError, match=r"metrics\.parquet: does not match its SHA-256 in context\.json"):
        summarise_grid(tmp_path, StatisticsJob(None, 0.5, published="", families="", code=""))
    assert not (tmp_path / "summary.csv").exists()


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_audit_is_no_labels(kind: str, unbroken: tuple[Project, Any], tmp_path: Path) -> None:
    (audit,) = unbroken[0].folder.glob(COLLECTED["audit.json"])
    (manifest,) = unbroken[0].folder.glob(COLLECTED["training.json"])
    good, draw = read_labels(audit.with_name("labels.npz"), audit, manifest), random.Random(1)
    for _ in range(20):
        (tmp_path / "audit.json").write_bytes(DAMAGES[kind](audit.read_bytes(), draw))
        try:
            labels, record = read_labels(audit.with_name("labels.npz"), tmp_path / "audit.json", manifest)
        except UserError as error:
            assert str(tmp_path / "audit.json") in str(error) and "\n" not in str(error)
        else:
            assert kind == "one bit" and (labels == good[0]).all() and good[1].items() <= record.items()


@pytest.mark.parametrize("name", [*KEYS, "labels.npz"])
@pytest.mark.parametrize("kind", ["one bit", "truncated"])
def test_nothing_is_measured_on_a_damaged_input(
    kind: str, name: str, unbroken: tuple[Project, Any], grid: Grid, tmp_path: Path
) -> None:
    folder = unbroken[0].folder
    (block,) = folder.glob(TEACHER)
    inputs = evaluation_inputs(folder, block)
    paths = inputs["labels"] if name == "labels.npz" else inputs
    key = 0 if name == "labels.npz" else KEYS[name]
    (tmp_path / name).write_bytes(DAMAGES[kind](Path(paths[key]).read_bytes(), random.Random(7)))
    paths[key] = str(tmp_path / name)
    outputs = {"metrics": str(tmp_path / "metrics.json"), "examples": str(tmp_path / "examples.npz")}
    cell = grid.cells[str(block.parent.relative_to(folder / "results"))]
    with pytest.raises(UserError, match=name.replace(".", r"\.")) as error:
        evaluate_teacher.run(jobs.evaluation_job(cell, "paired-0"), inputs, outputs)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "metrics.json").exists()


def evaluation_inputs(folder: Path, block: Path) -> dict[str, Any]:
    """Return the inputs of the evaluation of one teacher block."""
    (labels,) = folder.glob("results/labels/*/symmetric-*/rate=0.4/seed=0/labels.npz")
    (manifest,) = folder.glob("results/data/*/training.json")
    data = manifest.parent
    seeds = [labels.parents[1] / f"seed={seed}" for seed in (0, 1)]
    return {
        "training": str(data / "training.npz"),
        "training_manifest": str(manifest),
        "test": str(data / "test.npz"),
        "test_manifest": str(data / "test.json"),
        "labels": [str(seed / "labels.npz") for seed in seeds],
        "audits": [str(seed / "audit.json") for seed in seeds],
        "weights": str(block / "weights.safetensors"),
        "run": str(block / "run.json"),
    }
