"""Smoothing, or just stopping? Cross-entropy stopped early, beside plain cross-entropy and every method at the end."""

import itertools
from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.statistics.cells import FAMILY, TREATMENT, Cell, Peers, mean, measured_by, name_types, read, table
from smearlab.statistics.contrasts import Contrast, adjusted, comparison, contrast, note

LAST, STOPPED = columns.STOPPED["last"][0], columns.STOPPED["selected"][0]
NAMES = (*FAMILY[:4], "arch", *TREATMENT)
COLUMNS = {
    **name_types(NAMES),
    "n": "int64",
    "mean": "float64",
    "mean_stopped": "float64",
    "difference": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "ci_low_simultaneous": "float64",
    "ci_high_simultaneous": "float64",
    "p_value": "float64",
    "p_holm": "float64",
    "margin": "float64",
    "verdict": "str",
    "note": "str",
}


def stopping(metrics: pd.DataFrame, *, margin: float) -> pd.DataFrame:
    """Return a row per teacher cell with true test labels: plain cross-entropy stopped early minus this cell.

    Cross-entropy is taken at the epoch best on noisy validation labels (`mean_stopped`), the row's own cell at its
    last epoch (`mean`), paired by replicate (`n` pairs): `helps` says that stopping cross-entropy early beats it.
    The row of cross-entropy itself says what stopping gains. Holm's families are these rows of all places, and in
    each data set, noise, rate and recipe the others. `margin` in points, accuracies in 0..1.
    """
    cells = [c for c in read(metrics, extra=(LAST, STOPPED)) if c.names["role"] == "teacher" and c.extra[LAST]]
    peers = Peers(cells)
    beside = [(peers.plain(cell), cell) for cell in cells]
    compared = [cell for plain, cell in beside if plain and plain.extra[STOPPED]]
    contrasts = adjusted([_contrast(plain, cell) for plain, cell in beside if plain and plain.extra[STOPPED]])
    return table(map(_row, compared, contrasts, itertools.repeat(margin)), COLUMNS)


def _contrast(plain: Cell, cell: Cell) -> Contrast:
    ended = measured_by(cell, LAST)
    return contrast(measured_by(plain, STOPPED), ended, primary=cell.is_plain, tested=ended)


def _row(cell: Cell, stopped: Contrast, margin: float) -> dict[str, Any]:
    return {
        **{column: cell.names[column] for column in NAMES},
        "n": stopped.difference.n,
        "mean": mean(cell.extra[LAST]),
        "mean_stopped": mean(stopped.cell.finished),
        **comparison(stopped, margin),
        "margin": margin,
        "note": note(stopped),
    }
