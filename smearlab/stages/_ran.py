"""What the blocks of a grid have written, reduced while it is read to what the tables say of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core import columns
from smearlab.core.jobs import Replicate
from smearlab.grid.cells import Cell, Grid, Row
from smearlab.grid.dag import EXAMPLES, HISTORY, METRICS, RUN
from smearlab.store.correct import Correct, read_right
from smearlab.store.examples import Predicted, read_predicted
from smearlab.store.files import check_files, damaged, read_sealed
from smearlab.training.correction import read_estimates

SAID = (*columns.names(columns.METRICS, columns.MEASURED), "noise_seed", "seed", "status", "reason")  # by a run
TRAINED_BY = ("torch", "numpy", "cuda")  # of an account's environment; 0.1.0 noted the machine beside them
REPLICATE = {"noise_seed", "seed", "status"}
MEASUREMENT = REPLICATE | {"metrics", "curves"}
AUDITS = 128  # held at a time: those of the noise seeds of a few cells
PREDICTED = 16  # cells whose predictions are held at a time


@dataclass(frozen=True, slots=True)
class Ran:
    """A trained and evaluated block: what its account and its metrics say of each replicate, and the code of both.

    said: by the account, one dictionary a replicate. names, measured: of all metrics, float64 (replicates, names),
    NaN where one has none. statuses: after the evaluation, in which a finished network may turn out not to be finite.
    """

    folder: Path
    said: tuple[dict[str, Any], ...]
    names: tuple[str, ...]
    measured: np.ndarray
    statuses: tuple[str, ...]
    codes: tuple[str, str]

    def rows(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Yield (what the account says, the metrics and the status) of each replicate."""
        for said, numbers, status in zip(self.said, self.measured.tolist(), self.statuses, strict=True):
            yield said, {**dict(zip(self.names, numbers, strict=True)), "status": status}


@dataclass(frozen=True)
class Whole:
    """A block as it was read: the reduced form, and the measured replicates with their curves."""

    ran: Ran
    replicates: list[dict[str, Any]]


class Reader:
    """Reads every block of a grid once and keeps its reduced form; None where it is missing."""

    def __init__(self, grid: Grid, results: Path) -> None:
        self.grid = grid
        self.results = results
        self.trained: dict[str, set[str]] = {}
        self.audit_at = lru_cache(AUDITS)(lambda path: read_if_there(path) or {})
        self.predicted = lru_cache(PREDICTED)(self._predicted)
        self._blocks: dict[tuple[str, str], Ran | None] = {}
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def blocks(self) -> Iterator[tuple[Cell, Whole]]:
        """Yield each block that is there with all that it holds, in the order of the cells."""
        for cell in self.grid.cells.values():
            for block in self.grid.blocks(cell):
                if (whole := self._read(cell, block)) is not None:
                    yield cell, whole

    def block(self, cell: Cell, block: str) -> Ran | None:
        """Return the reduced form of a block."""
        if (cell.key, block) not in self._blocks:
            self._read(cell, block)
        return self._blocks[cell.key, block]

    def _read(self, cell: Cell, block: str) -> Whole | None:
        whole = self._whole(self.results / cell.key / block)
        self._blocks[cell.key, block] = whole.ran if whole else None
        return whole

    def _whole(self, folder: Path) -> Whole | None:
        run = read_if_there(folder / RUN, "replicates", "code")
        metrics = read_if_there(folder / METRICS, "replicates", "code")
        if run is None or metrics is None or not (folder / HISTORY).exists():
            return None
        if "history_sha256" in run:
            check_files(folder, {HISTORY: run["history_sha256"]}, RUN)
        if _seeds(folder / RUN, run, REPLICATE) != _seeds(folder / METRICS, metrics, MEASUREMENT):
            raise damaged(folder / METRICS, f"speaks of other replicates than {RUN}")
        for key, value in run.get("environment", {}).items():
            if key in TRAINED_BY and value is not None:
                self.trained.setdefault(key, set()).add(str(value))
        return Whole(self._reduced(folder, run, metrics), metrics["replicates"])

    def _reduced(self, folder: Path, run: dict[str, Any], metrics: dict[str, Any]) -> Ran:
        entries = [_metrics_of(folder / METRICS, entry) for entry in metrics["replicates"]]
        names = tuple(dict.fromkeys(name for entry in entries for name in entry))
        numbers = [[entry.get(name) for name in names] for entry in entries]
        return Ran(
            folder=folder,
            said=tuple({key: entry[key] for key in SAID if key in entry} for entry in run["replicates"]),
            names=self._names.setdefault(names, names),  # one tuple for all blocks
            measured=np.array(numbers, dtype=float).reshape(len(entries), len(names)),
            statuses=tuple(entry["status"] for entry in metrics["replicates"]),
            codes=(run["code"], metrics["code"]),
        )

    def audit(self, cell: Cell, noise_seed: int) -> dict[str, Any]:
        """Return the audit of the labels a replicate saw; empty if it is missing."""
        audit: dict[str, Any] = self.audit_at(
            self.results / "labels" / cell.labels.path / f"seed={noise_seed}" / "audit.json"
        )
        return audit

    def estimates(self, cell: Cell, block: str) -> dict[Replicate, dict[str, Any]]:
        """Return the estimated T of each replicate; empty where none is asked for or there yet."""
        paths = [self.results.parent / path for path in cell.estimate_files(block)]
        return read_estimates([str(path) for path in paths if path.exists()])

    def _predicted(self, cell: Cell, part: str) -> Predicted:
        """Return the classes that the networks of a cell predicted of a part, as far as its blocks are there."""
        return read_predicted(self._examples(cell), part, cell.labels.dataset.n_classes)

    def right(self) -> dict[str, Correct]:
        """Return by computation which test examples its networks get right, where true test labels are known.

        Networks of different splits have no test examples in common, and do not stand here.
        """
        cells = [cell for cell in self.grid.cells.values() if cell.labels.dataset.split is None]
        found = {cell.key: read_right(self._examples(cell)) for cell in cells}
        return {key: right for key, right in found.items() if right is not None}

    def _examples(self, cell: Cell) -> list[Path]:
        blocks = [name for name in self.grid.blocks(cell) if self.block(cell, name) is not None]
        files = [self.results / cell.key / name / EXAMPLES for name in blocks]
        return [file for file in files if file.is_file()]

    def rows(self) -> Iterator[tuple[Row, str, Ran | None]]:
        """Yield (row, block, what it wrote) in the fixed order of the grid."""
        for row in self.grid.rows:
            for name in self.grid.blocks(row.cell):
                yield row, name, self.block(row.cell, name)


def read_if_there(path: Path, *keys: str) -> dict[str, Any] | None:
    """Return what a sealed file says; None if it is absent, UserError for anything but a whole plain file."""
    if not path.is_file() and os.path.lexists(path):  # a folder or a pipe is not the same as not there yet
        raise damaged(path, "is no plain file")
    return read_sealed(path, *keys) if path.is_file() else None


def _seeds(path: Path, said: dict[str, Any], keys: set[str]) -> list[tuple[int, int]]:
    entries = said["replicates"]
    if not isinstance(entries, list) or any(not isinstance(e, dict) or not keys <= e.keys() for e in entries):
        raise damaged(path, f"has a replicate without {', '.join(sorted(keys))}")
    return [(entry["noise_seed"], entry["seed"]) for entry in entries]


def _metrics_of(path: Path, entry: dict[str, Any]) -> dict[str, Any]:
    found = entry["metrics"]
    if not isinstance(found, dict) or any(not isinstance(value, int | float | None) for value in found.values()):
        raise damaged(path, "has a metric that is no number")
    return found
