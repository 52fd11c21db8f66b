"""What a student's own treatment of its labels is worth: the student beside the same one without it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.statistics.cells import (
    FAMILY,
    NAMES,
    PLAIN,
    TREATMENT,
    Cell,
    label,
    margin_columns,
    name_types,
    read,
    table,
    types_of,
)
from smearlab.statistics.contrasts import Contrast, adjusted, comparison, contrast, note
from smearlab.statistics.families import identity, kind_of

COLUMNS = {**name_types(NAMES), **types_of(columns.OWN_TREATMENT)}
UNTREATED = tuple(name for name in NAMES if name not in TREATMENT)


def own_treatment(metrics: pd.DataFrame, *, margin: float) -> pd.DataFrame:
    """Return a row for each student whose own loss is not plain cross-entropy and whose untreated twin was trained too.

    The twin has the same teacher, distillation, labels and recipe, and plain cross-entropy. `difference` is the student
    minus its twin, in 0..1, paired by replicate (`n` pairs). Holm's families are theirs alone: those of a place, by the
    kind of the student's own method, so that they change no verdict of another table. `margin` in points.
    """
    students = [cell for cell in read(metrics) if cell.names["role"] == "student" and cell.n]
    twins = {cell.key(UNTREATED): cell for cell in students if cell.names["method"] == PLAIN}
    treated = [cell for cell in students if cell.names["method"] != PLAIN and cell.key(UNTREATED) in twins]
    contrasts = adjusted([_contrast(cell, twins[cell.key(UNTREATED)]) for cell in treated])
    return table(_rows(contrasts, margin), COLUMNS)


def _contrast(cell: Cell, twin: Cell) -> Contrast:
    family = (*cell.key(FAMILY), "own treatment", kind_of(cell.names["method"]))
    return replace(contrast(cell, twin), hypothesis=(family, identity(cell)))


def _rows(contrasts: Iterable[Contrast], margin: float) -> Iterable[dict[str, Any]]:
    for found in contrasts:
        assert found.baseline is not None
        yield {
            **found.cell.names,
            "twin": label(found.baseline.names),
            "n": found.difference.n,
            **comparison(found, margin),
            **margin_columns(margin),
            "measure": found.cell.measure,
            "note": note(found, ("here", "without it")),
        }
