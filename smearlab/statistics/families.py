"""Families of contrasts: which one is the headline, and Holm's correction of the others."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.statistics.cells import DISTILLATION, FAMILY, PLAIN, TEACHER_TREATMENT, TREATMENT, Cell, records

HEADLINE_ALPHA = 0.1
"""The smoothing that the paper reports first (Lukasik et al. 2020)."""

Identity = tuple[Any, ...]
HEADLINES: Identity = ("headlines",)
Hypothesis = tuple[Identity, Identity]  # the family, and what is tested in it


def primaries(cells: Iterable[Cell], primary: Mapping[str, Any] | None) -> set[Identity]:
    """Return the identities of the headline contrasts, at most one per family.

    `primary` maps columns to values, e.g. {"method": "label_smoothing", "alpha": 0.1}; a value of None allows
    any. Without it the headline is the positive smoothing closest to 0.1. It names the treatment of the
    teacher: in a family of students it selects by the method of *their* teachers, and of the students left it
    prefers a cross-entropy student on noisy labels at the lowest temperature and the largest beta. UserError
    for an unknown column.
    """
    wanted = _matcher(primary)
    families: dict[Identity, list[Cell]] = {}
    for cell in cells:
        if not cell.is_plain and wanted(cell):
            families.setdefault(cell.key(FAMILY), []).append(cell)
    return {identity(min(members, key=_rank)) for members in families.values()}


def identity(cell: Cell) -> Identity:
    """Return what makes a contrast one hypothesis: its family and computation, whatever its names."""
    computation = cell.key() if cell.computation is None else (cell.computation,)
    return (*cell.key(FAMILY), *computation)


def hypothesis(cell: Cell, *, primary: bool = False) -> Hypothesis:
    """Return Holm's family of a cell, which all headlines of a page share, and what is tested in it.

    All others are corrected with the methods of the same family in the same place, for a student that of its teacher:
    a method of another family changes no verdict.
    """
    return HEADLINES if primary else (*cell.key(FAMILY), family_of(cell)), identity(cell)


def family_of(cell: Cell) -> str:
    """Return the family that the config puts a cell into; without one the kind of its (or its teacher's) method."""
    return cell.family or kind_of(_value(cell, "method"))


def with_families(frame: pd.DataFrame, named: Mapping[str, Sequence[Sequence[Any]]] | None) -> pd.DataFrame:
    """Return a table of networks or cells with the column `family` that cells.read looks for.

    `named` has by family its methods, as the values of cells.TREATMENT; a student is in its teacher's. Without `named`
    the table stays as it is, and families are kinds.
    """
    if named is None:
        return frame
    of = {_treated(method): family for family, methods in named.items() for method in methods}
    found: list[Any] = []
    for row in records(frame, ["role", *TREATMENT, *TEACHER_TREATMENT]):
        among = TEACHER_TREATMENT if row["role"] == "student" else TREATMENT
        found.append(of.get(_treated([row[column] for column in among])))
    return frame.assign(family=pd.Series(found, index=frame.index, dtype=object))


def _treated(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple("" if value is None else value for value in values)


@cache
def kind_of(method: str) -> str:
    """Return the family that a method's file names; the method itself where it names none."""
    known = method in registry.names("methods")
    family = registry.describe("methods", method).constants.get("FAMILY") if known else None
    return str(family or method)


def holm(p_values: Mapping[Hypothesis, float]) -> dict[Hypothesis, float]:
    """Return Holm's adjusted p-value of each hypothesis, corrected within its family; a lone headline has none."""
    families: dict[Identity, list[Hypothesis]] = {}
    for test in p_values:
        families.setdefault(test[0], []).append(test)
    adjusted: dict[Hypothesis, float] = {}
    if len(families.get(HEADLINES, ())) == 1:
        del families[HEADLINES]
    for tests in families.values():
        adjusted |= zip(tests, _step_down([p_values[test] for test in tests]), strict=True)
    return adjusted


def _step_down(p_values: list[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given.

    statsmodels' multipletests gives the same and collects all garbage at every call: seconds for a page of families.
    """
    given = np.array(p_values)
    order = np.argsort(given, kind="stable")
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1)))
    return [float(p) for p in adjusted]


def sizes(tests: Collection[Hypothesis]) -> dict[Hypothesis, int]:
    """Return for each hypothesis the number of those in its family."""
    members = Counter(family for family, _ in set(tests))
    return {test: members[test[0]] for test in tests}


def _matcher(primary: Mapping[str, Any] | None) -> Callable[[Cell], bool]:
    if not primary:
        return _is_smoothing
    allowed = (*TREATMENT, *TEACHER_TREATMENT, *DISTILLATION)
    for column in primary:
        if column not in allowed:
            raise UserError(f"primary: unknown column {column!r}; allowed: {', '.join(allowed)}")
    wanted = {column: value for column, value in primary.items() if value is not None}
    return lambda cell: all(_value(cell, column) == value for column, value in wanted.items())


def _is_smoothing(cell: Cell) -> bool:
    return _value(cell, "method") == "label_smoothing" and (_value(cell, "alpha") or 0) > 0


def _value(cell: Cell, column: str) -> Any:
    """Return the value a headline is chosen by: of a student, the treatment of its teacher."""
    if cell.names["role"] == "student" and column in TREATMENT:
        column = f"teacher_{column}"
    return cell.names[column]


def _rank(cell: Cell) -> tuple[Any, ...]:
    """Order candidates: α closest to 0.1, then a plain student on noisy labels, cool, mostly distilled.

    The rest of the names break ties, so that the order of the rows never decides.
    """
    alpha = _value(cell, "alpha")
    far = float("inf") if alpha is None else round(abs(alpha - HEADLINE_ALPHA), 12)
    student = cell.names["role"] == "student"
    return (
        far,
        student and cell.names["method"] != PLAIN,
        student and cell.names["student_labels"] != "noisy",
        cell.names["temperature"] or 0,
        -(cell.names["beta"] or 0),
        [str(value) for value in cell.key()],
    )
