"""Cells and their replicates: the rows of a metrics table, grouped by the columns that name a cell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.errors import UserError
from smearlab.statistics.drawn import Hits
from smearlab.store.tables import DIVERGED, FINISHED

CONDITION = columns.names(columns.METRICS, columns.CONDITION)
TREATMENT = columns.names(columns.METRICS, columns.TREATMENT)
TEACHER_TREATMENT = columns.names(columns.METRICS, columns.TEACHER)
DISTILLATION = columns.names(columns.METRICS, columns.STUDENT)
NAMES = columns.NAMES
FAMILY = (*CONDITION, "recipe", "role")
NUMBERS = columns.numbers(columns.METRICS, *columns.NAMING)
PLAIN = "cross_entropy"
TYPES = {
    columns.TEXT: "str",
    columns.NUMBER: "float64",
    columns.WHOLE: "Int64",
    columns.TALLY: "int64",
    columns.FLAG: "bool",
}

Replicate = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """One named cell: its names (None where a column does not apply), its computation and its replicates.

    `finished` maps (noise seed, training seed) to accuracy in 0..1, `extra` further columns likewise. `hits`, where
    true labels are known of some test examples only: which of these each replicate got right. `family` is what it is
    corrected with, where the config names families.
    """

    names: dict[str, Any]
    computation: str | None
    measure: str
    finished: dict[Replicate, float]
    diverged: frozenset[Replicate]
    extra: dict[str, dict[Replicate, float]]
    hits: Hits | None = None
    family: str | None = None

    @property
    def n(self) -> int:
        """Replicates with a result, diverged ones among them."""
        return len(self.finished) + len(self.diverged)

    @property
    def is_plain(self) -> bool:
        """Whether others are compared with this: plain cross-entropy, or the student of its network."""
        return self.names["teacher_method" if self.names["role"] == "student" else "method"] == PLAIN

    def key(self, among: Sequence[str] = NAMES) -> tuple[Any, ...]:
        """Return the values of some names, fit for comparing: absent and empty count as the same."""
        return key_of(self.names, among)

    def same_computation(self, other: "Cell") -> bool:
        """Whether the two names stand for networks that were trained once."""
        return self.computation is not None and self.computation == other.computation


def key_of(names: Mapping[str, Any], among: Sequence[str] = NAMES) -> tuple[Any, ...]:
    """Return the values of some columns, fit for comparing: absent and empty count as the same."""
    return tuple("" if names[column] is None else names[column] for column in among)


def each_network(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return one row of each network of a table in which several rows may be of one."""
    return metrics.drop_duplicates(["cell", "noise_seed", "seed"])


def read(metrics: pd.DataFrame, cells: pd.DataFrame | None = None, extra: Sequence[str] = ()) -> list[Cell]:
    """Group a metrics table into cells, in the order of `cells` if given, else of first appearance.

    `cells` lists the named cells of a grid (a row each); those without a result come back with n = 0.
    UserError for a status other than finished or diverged, a finished row without accuracy, a repeated row.
    """
    rows = records(metrics, [*NAMES, "cell", "noise_seed", "seed", "status", "family", *_ACCURACIES, *extra])
    measures = _measures(rows)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    named = [] if cells is None else records(cells, [*NAMES, "cell", "family"])
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in [*named, *rows]:
        first.setdefault(key_of(row), row)
    for row in rows:
        groups.setdefault(key_of(row), []).append(row)
    return [
        _cell(row, groups.get(key, []), measures.get(row["dataset"], _ACCURACIES[0]), extra)
        for key, row in first.items()
    ]


def with_gold(cell: Cell, hits: Mapping[str, Hits]) -> Cell:
    """Return a cell with its hits on a gold set, where it has one: then these decide its accuracy, by their weights."""
    known = hits.get(cell.computation or "")
    if known is None or cell.measure != _ACCURACIES[0]:
        return cell
    replicates = [replicate for replicate in cell.finished if replicate in known.by_replicate]
    means = {r: float(known.drawn.weights @ known.by_replicate[r]) for r in replicates}
    return replace(cell, finished=means, hits=known)


def mean(values: Mapping[Replicate, float]) -> float | None:
    """Return the mean over replicates; None where there is none."""
    return float(np.mean(list(values.values()))) if values else None


def measured_by(cell: Cell, column: str) -> Cell:
    """Return a cell as another column of metrics measures it, one that was read as `extra`: another computation.

    On a gold set, where only the reported checkpoint's examples are stored, nothing is measured.
    """
    computation = None if cell.computation is None else f"{cell.computation} by {column}"
    finished = {} if cell.hits else cell.extra[column]
    return replace(cell, computation=computation, measure=column, finished=finished, hits=None)


def records(frame: pd.DataFrame, among: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows as dictionaries of these columns, None where a value is null or its column absent."""
    chosen = frame.reindex(columns=list(among)).astype(object)
    found: list[dict[Any, Any]] = chosen.where(chosen.notna(), None).to_dict("records")
    return found


def table(rows: Iterable[Mapping[str, Any]], types: Mapping[str, str]) -> pd.DataFrame:
    """Return rows as a table of exactly these columns and types, also when there are no rows."""
    return pd.DataFrame(list(rows), columns=list(types)).astype(dict(types))


def name_types(names: Sequence[str]) -> dict[str, str]:
    """Return the type of each of these naming columns."""
    return {column: "float64" if column in NUMBERS else "str" for column in names}


def margin_columns(margin: float) -> dict[str, float]:
    """Return the margin as the config says it, in points, and as the fraction that the differences beside it are."""
    return {"margin": margin, "margin_share": margin / 100}


def types_of(described: Iterable[columns.Column]) -> dict[str, str]:
    """Return the type of each of these columns in the tables of the statistics."""
    return {column.name: TYPES[column.type] for column in described}


def label(names: Mapping[str, Any]) -> str:
    """Return a cell's treatment in words, e.g. `label_smoothing 0.1` or `student of cross_entropy (…)`."""
    own = treatment(names)
    if names["role"] != "student":
        return own
    details = [own, *(_detail(names, column) for column in DISTILLATION if names[column] is not None)]
    return f"student of {treatment(names, TEACHER_TREATMENT)} ({', '.join(details)})"


def treatment(names: Mapping[str, Any], among: Sequence[str] = TREATMENT) -> str:
    """Return a method in words, e.g. `label_smoothing 0.1`, from the columns that name it (None: does not apply)."""
    method, alpha, transition, options = (names[column] for column in among)
    parts = [method, None if alpha is None else f"{alpha:g}", transition, options]
    return " ".join(str(part) for part in parts if part)


class Peers:
    """Finds the cells that a cell is compared with."""

    _teacher = (*CONDITION, "recipe", *TREATMENT)
    _same_distillation = tuple(name for name in NAMES if name not in TEACHER_TREATMENT)

    def __init__(self, cells: Iterable[Cell]) -> None:
        computed = [cell for cell in cells if cell.n]
        teachers = [cell for cell in computed if cell.names["role"] == "teacher"]
        students = [cell for cell in computed if cell.names["role"] == "student"]
        self._teachers = {cell.key(self._teacher): cell for cell in teachers}
        self._plain = {cell.key((*CONDITION, "recipe")): cell for cell in teachers if cell.is_plain}
        self._baselines = {cell.key(self._same_distillation): cell for cell in students if cell.is_plain}

    def baseline(self, cell: Cell) -> Cell | None:
        """Return plain cross-entropy for a teacher; for a student the same student of its network."""
        if cell.names["role"] == "student":
            return self._baselines.get(cell.key(self._same_distillation))
        return self.plain(cell)

    def plain(self, cell: Cell) -> Cell | None:
        """Return the network trained with plain cross-entropy in this cell's data set, noise and recipe."""
        return self._plain.get(cell.key((*CONDITION, "recipe")))

    def teacher(self, cell: Cell) -> Cell | None:
        """Return a student's own teacher; None for a teacher."""
        return self._teachers.get(cell.key((*CONDITION, "teacher_recipe", *TEACHER_TREATMENT)))


_ACCURACIES = ("test_accuracy", "test_accuracy_noisy")


def _measures(rows: list[dict[str, Any]]) -> dict[str, str]:
    """Say per data set which accuracy counts: the noisy one only where no network has a clean one."""
    finished = [row for row in rows if row["status"] == FINISHED]
    clean = {row["dataset"] for row in finished if row["test_accuracy"] is not None}
    noisy = {row["dataset"] for row in finished if row["test_accuracy_noisy"] is not None}
    return dict.fromkeys(noisy - clean, _ACCURACIES[1])


def _cell(names: dict[str, Any], rows: list[dict[str, Any]], measure: str, extra: Sequence[str]) -> Cell:
    where = label(names)
    by_replicate: dict[Replicate, dict[str, Any]] = {}
    for row in rows:
        replicate = (int(row["noise_seed"]), int(row["seed"]))
        if replicate in by_replicate:
            raise UserError(f"metrics: {where}, replicate {replicate}: two rows, one is allowed")
        if row["status"] not in (FINISHED, DIVERGED):
            raise UserError(f"metrics: {where}: status {row['status']!r}; allowed: {FINISHED}, {DIVERGED}")
        if row["status"] == FINISHED and row[measure] is None:
            raise UserError(f"metrics: {where}, replicate {replicate}: finished, but {measure} is null")
        by_replicate[replicate] = row
    done = {replicate: row for replicate, row in sorted(by_replicate.items()) if row["status"] == FINISHED}
    return Cell(
        names={column: names[column] for column in NAMES},
        computation=names["cell"],
        measure=measure,
        finished={replicate: float(row[measure]) for replicate, row in done.items()},
        diverged=frozenset(by_replicate.keys() - done.keys()),
        extra={c: {r: float(row[c]) for r, row in done.items() if row[c] is not None} for c in extra},
        family=names.get("family"),
    )


def _detail(names: Mapping[str, Any], column: str) -> str:
    value = names[column]
    name = column.removeprefix("student_").replace("_", " ")
    return f"{name} {value:g}" if column in NUMBERS else f"{name} {value}"
