"""One estimate for all noise rates: a method's gain with rate and replicate effects taken out."""

from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import Cell, Peers, Replicate, margin_columns, name_types, read, table, types_of
from smearlab.statistics.families import family_of, holm
from smearlab.statistics.given_labels import in_words
from smearlab.statistics.paired import FEWEST, Difference, by_replicate, independent
from smearlab.statistics.simultaneous import simultaneous_of

PLACE = ("dataset", "noise", "recipe", "arch")
TREATED = (*PLACE, "method", "alpha", "transition", "options")
COLUMNS = {**name_types(TREATED), **types_of(columns.POOLED)}
Gains = dict[float, dict[Replicate, float]]  # by rate


def pooled(metrics: pd.DataFrame, *, margin: float) -> pd.DataFrame:
    """Return a row for each teacher's treatment that a data set, noise and recipe has at two noisy rates or more.

    The paired gain over cross-entropy is modelled as mean + rate + replicate + rest, rates fixed and replicates
    random. In the balanced layout of the replicates that have every rate (`n` of them), the estimate of the mean and
    its t interval have a closed form: those of the replicates' own means over the rates, n - 1 degrees of freedom.
    `std_replicates` and `std_rest` are the two deviations by analysis of variance. A Holm family is one kind of method
    in one data set, noise and recipe. Accuracies in 0..1, `margin` in points.
    """
    cells = [cell for cell in read(metrics) if cell.names["role"] == "teacher" and cell.n]
    peers, groups = Peers(cells), dict[tuple[Any, ...], list[Cell]]()
    for cell in cells:
        if cell.names["noise_rate"] and not cell.is_plain:
            groups.setdefault(cell.key(TREATED), []).append(cell)
    pairs = [[(c, b) for c in group if (b := peers.plain(c))] for group in groups.values()]
    found = [group for group in pairs if len(group) > 1]
    differences = [_difference(group) for group in found]
    tests = [(_family(group[0][0]), group[0][0].key(TREATED)) for group in found]
    p_values = {t: d.p_value for t, d in zip(tests, differences, strict=True) if d.p_value is not None}
    adjusted = holm(p_values)
    rows = []
    for test, group, difference in zip(tests, found, differences, strict=True):
        p_holm = adjusted.get(test)
        together = simultaneous_of(p_values, test, difference, p_holm)
        rows.append(_row(group, difference, p_holm, margin) | together)
    return table(rows, COLUMNS)


def parts(gains: np.ndarray) -> tuple[float, float]:
    """Return the standard deviations of replicates and of the rest, by analysis of variance; gains: (n, rates)."""
    n, rates = gains.shape
    rest = gains - gains.mean(axis=1, keepdims=True) - gains.mean(axis=0) + gains.mean()
    of_rest = float(np.sum(rest**2)) / ((n - 1) * (rates - 1))
    of_replicates = max(0.0, float(gains.mean(axis=1).var(ddof=1)) - of_rest / rates)
    return of_replicates**0.5, of_rest**0.5


def _family(cell: Cell) -> tuple[Any, ...]:
    return (*cell.key(PLACE), family_of(cell))


def _gains(group: list[tuple[Cell, Cell]]) -> Gains:
    """The gains at each rate, of the replicates that have every rate."""
    found = {cell.names["noise_rate"]: by_replicate(cell, plain) for cell, plain in group}
    shared = sorted(set.intersection(*(set(values) for values in found.values())))
    return {rate: {replicate: found[rate][replicate] for replicate in shared} for rate in sorted(found)}


def _diverged(group: list[tuple[Cell, Cell]]) -> int:
    return sum(len(cell.diverged) + len(plain.diverged) for cell, plain in group)


def _difference(group: list[tuple[Cell, Cell]]) -> Difference:
    """The replicates' means over the rates; none where a network diverged."""
    if _diverged(group):
        return Difference(())
    gains = list(_gains(group).values())
    return independent({replicate: float(np.mean([gain[replicate] for gain in gains])) for replicate in gains[0]})


def _row(group: list[tuple[Cell, Cell]], difference: Difference, p_holm: float | None, margin: float) -> dict[str, Any]:
    cell, gains = group[0][0], _gains(group)
    low, high = difference.interval() or (None, None)
    diverged = _diverged(group)
    identical = all(cell.same_computation(plain) for cell, plain in group)
    said = words.verdict(difference, p=p_holm, margin=margin, diverged=bool(diverged), identical=identical)
    layout = np.array([list(values.values()) for values in gains.values()]).T
    deviations = parts(layout) if not diverged and len(layout) > 1 else (None, None)
    return {
        **{name: cell.names[name] for name in TREATED},
        "rates": ", ".join(f"{rate:g}" for rate in gains),
        "n": difference.n,
        "difference": difference.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": difference.p_value,
        "p_holm": p_holm,
        "std_replicates": deviations[0],
        "std_rest": deviations[1],
        **margin_columns(margin),
        "verdict": in_words(said, cell.measure),
        "measure": cell.measure,
        "note": f"{words.DIVERGED}: {diverged} networks" if diverged else _note(difference),
    }


def _note(difference: Difference) -> str | None:
    return f"{difference.n} replicates have every rate; a test needs {FEWEST}" if difference.n < FEWEST else None
