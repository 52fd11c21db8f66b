"""Smoothing, or just stopping? Cross-entropy stopped early, beside plain cross-entropy and every method at the end."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.statistics.cells import (
    FAMILY,
    TREATMENT,
    Cell,
    Peers,
    margin_columns,
    mean,
    measured_by,
    name_types,
    read,
    table,
    types_of,
)
from smearlab.statistics.contrasts import Contrast, adjusted, comparison, contrast, note

LAST = columns.STOPPED["last"][0]
RULES = {rule: measure for rule, (measure, _) in columns.STOPPED.items() if measure != LAST}
NAMES = (*FAMILY[:4], "arch", *TREATMENT)
COLUMNS = {**name_types(NAMES), **types_of(columns.STOPPING)}


def stopping(metrics: pd.DataFrame, *, margin: float) -> pd.DataFrame:
    """Return a row per stopping rule and teacher cell with true test labels: cross-entropy stopped minus this cell.

    Plain cross-entropy is taken where the `rule` stops it (`mean_stopped`): at the epoch best on noisy validation
    labels (selected), or where Label Wave stops, which sees none (label_wave). The row's own cell is at its last epoch
    (`mean`), paired by replicate (`n` pairs): `helps` says that stopping cross-entropy early beats it. The row of
    cross-entropy itself says what stopping gains. Holm's families are, rule by rule, these rows of all places, and in
    each data set, noise, rate and recipe the others. A rule by which no network was kept has no rows. `margin` in
    points, accuracies in 0..1.
    """
    found = read(metrics, extra=(LAST, *RULES.values()))
    cells = [c for c in found if c.names["role"] == "teacher" and c.extra[LAST]]
    return table([row for rule in RULES for row in _by(rule, cells, margin)], COLUMNS)


def _by(rule: str, cells: list[Cell], margin: float) -> Iterator[dict[str, Any]]:
    peers, measure = Peers(cells), RULES[rule]
    beside = [(plain, cell) for cell in cells if (plain := peers.plain(cell)) and plain.extra[measure]]
    contrasts = adjusted([_contrast(plain, cell, measure) for plain, cell in beside])
    return (_row(cell, stopped, rule, margin) for (_, cell), stopped in zip(beside, contrasts, strict=True))


def _contrast(plain: Cell, cell: Cell, measure: str) -> Contrast:
    """Cross-entropy stopped early beside a cell; another name of cross-entropy makes the same comparison as its own."""
    ended, is_itself = measured_by(cell, LAST), cell is plain or cell.same_computation(plain)
    return contrast(measured_by(plain, measure), ended, primary=is_itself, tested=ended)


def _row(cell: Cell, stopped: Contrast, rule: str, margin: float) -> dict[str, Any]:
    return {
        **{column: cell.names[column] for column in NAMES},
        "rule": rule,
        "n": stopped.difference.n,
        "mean": mean(cell.extra[LAST]),
        "mean_stopped": mean(stopped.cell.finished),
        **comparison(stopped, margin),
        **margin_columns(margin),
        "note": note(stopped, ("of cross-entropy", "of the method beside it")),
    }
