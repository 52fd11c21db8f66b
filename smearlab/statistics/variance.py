"""Where spread comes from: the drawing of the labels, the training, and the drawing of the test set."""

from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.adding import left_to_right
from smearlab.statistics.cells import NAMES, Cell, name_types, read, table, types_of
from smearlab.statistics.paired import SAME

COLUMNS = {**name_types(NAMES), **types_of(columns.VARIANCE)}


def variance_split(metrics: pd.DataFrame) -> pd.DataFrame:
    """Split each cell's spread into label luck, training luck and their interplay; a row per cell.

    Needs a crossed design. Of an incomplete one, those noise seeds are used that have every training seed (or
    the reverse, if that keeps more); `n_left_out` counts the finished networks of the others. Null with fewer
    than two of either seed in use, as in a paired design.
    `std_*` are standard deviations of accuracy in 0..1, `share_*` the shares of their squares.
    """
    return table((_row(cell) for cell in read(metrics)), COLUMNS)


def components(accuracy: np.ndarray) -> tuple[float, float, float]:
    """Return the variance components (labels, training, residual) of accuracies (noise seed × training seed).

    Two-way random effects without replication, by the method of moments (Searle, Casella & McCulloch 1992,
    section 4.5): E[MS_labels] = σ²_res + T σ²_labels, likewise for training, E[MS_res] = σ²_res. Negative
    estimates are set to 0, as is usual. A network is determined by its two seeds, so the residual is their
    interplay and not an error of measurement.
    """
    n, t = accuracy.shape
    rows, columns, grand = accuracy.mean(1), accuracy.mean(0), accuracy.mean()
    ms_rows = t * np.sum((rows - grand) ** 2) / (n - 1)
    ms_columns = n * np.sum((columns - grand) ** 2) / (t - 1)
    left = accuracy - rows[:, None] - columns[None, :] + grand
    ms_left = np.sum(left**2) / ((n - 1) * (t - 1))
    labels, training = (ms_rows - ms_left) / t, (ms_columns - ms_left) / n
    return max(0.0, float(labels)), max(0.0, float(training)), float(ms_left)


def binomial_standard_error(accuracy: Any, n_test: int) -> Any:
    """Return the standard error √(p(1-p)/n) of accuracies in 0..1 that comes from drawing n_test examples."""
    return np.sqrt(np.asarray(accuracy, dtype=float) * (1 - np.asarray(accuracy, dtype=float)) / n_test)


def _row(cell: Cell) -> dict[str, Any]:
    accuracy = _rectangle(cell)
    n, t = accuracy.shape
    row = {**cell.names, "cell": cell.computation, "measure": cell.measure}
    row |= {"n_noise_seeds": n, "n_seeds": t, "n_left_out": len(cell.finished) - n * t}
    if min(n, t) < 2:
        return row
    parts = dict(zip(("labels", "training", "residual"), components(accuracy), strict=True))
    total = left_to_right(parts.values())
    row |= {f"std_{name}": value**0.5 for name, value in parts.items()}
    if total > SAME**2:
        row |= {f"share_{name}": value / total for name, value in parts.items()}
    return row


def _rectangle(cell: Cell) -> np.ndarray:
    """Return accuracies (noise seeds, training seeds) of whole rows or whole columns, whichever are more."""
    rows = sorted({noise_seed for noise_seed, _ in cell.finished})
    columns = sorted({seed for _, seed in cell.finished})
    whole_rows = [n for n in rows if all((n, seed) in cell.finished for seed in columns)]
    whole_columns = [s for s in columns if all((noise_seed, s) in cell.finished for noise_seed in rows)]
    if len(whole_rows) * len(columns) >= len(rows) * len(whole_columns):
        rows = whole_rows
    else:
        columns = whole_columns
    accuracy = [cell.finished[n, s] for n in rows for s in columns]
    return np.array(accuracy).reshape(len(rows), len(columns))
