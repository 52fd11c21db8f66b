"""Does a headline stand? The same comparison at other stopping rules, without each replicate, and by signs alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from scipy.stats import binomtest

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import NAMES, Cell, Replicate, measured_by, name_types, read, table, types_of
from smearlab.statistics.contrasts import Contrast, comparison, contrasts_of
from smearlab.statistics.families import holm
from smearlab.statistics.given_labels import in_words
from smearlab.statistics.paired import FEWEST, SAME

REPORTED, SIGNS, CHANCE, WITHOUT = "as reported", "signs alone", "diverged as chance", "without replicate"
COLUMNS = {**name_types(NAMES), **types_of(columns.ROBUSTNESS)}


def robustness(
    metrics: pd.DataFrame, *, primary: Mapping[str, Any] | None, margin: float, chance: Mapping[str, float]
) -> pd.DataFrame:
    """Return a row for each headline of the teachers and each check of it, and one for each diverged comparison.

    The checks: as reported, all at the last epoch, all stopped early, without each replicate in turn, and a sign test
    in place of Student's t (no interval). `chance` says by data set what accuracy guessing has, in 0..1: every
    comparison of which a side diverged stands here once more, its diverged networks counted as that, unless no network
    of either side finished: two guesses are no comparison. Each check has its own Holm families. `margin` in points.
    """
    cells = read(metrics, extra=[measure for measure, _ in columns.STOPPED.values()])
    reported = contrasts_of(cells, primary)
    headlines = {c.cell.key(): c.cell for c in reported if _is_headline(c)}
    rows = [
        _row(check, found, margin)
        for check, seen in _views(cells).items()
        for found in contrasts_of(seen, primary)
        if found.cell.key() in headlines and found.cell.n
    ]
    rows += [
        _row(f"{WITHOUT} {left_out[0]}/{left_out[1]}", found, margin)
        for left_out in sorted({replicate for cell in headlines.values() for replicate in _replicates(cell)})
        for found in contrasts_of([_without(cell, left_out) for cell in cells], primary)
        if found.cell.key() in headlines and left_out in _replicates(headlines[found.cell.key()])
    ]
    counted = contrasts_of([_counted(cell, chance) for cell in cells], primary)
    lost = [now for now, was in zip(counted, reported, strict=True) if was.diverged and _finished_somewhere(was)]
    return table([*rows, *_signs(reported), *(_row(CHANCE, found, margin) for found in lost)], COLUMNS)


def _is_headline(found: Contrast) -> bool:
    return found.primary and found.cell.names["role"] == "teacher" and bool(found.cell.n)


def _finished_somewhere(found: Contrast) -> bool:
    return found.baseline is not None and bool(found.cell.finished or found.baseline.finished)


def _views(cells: list[Cell]) -> dict[str, list[Cell]]:
    """The cells as they were reported, and as each stopping rule has them."""
    rules = columns.STOPPED.values()
    at = {when: [measured_by(c, measure) for c in cells if c.extra[measure]] for measure, when in rules}
    return {REPORTED: cells, **at}


def _replicates(cell: Cell) -> set[Replicate]:
    return cell.finished.keys() | cell.diverged


def _without(cell: Cell, left_out: Replicate) -> Cell:
    finished = {replicate: value for replicate, value in cell.finished.items() if replicate != left_out}
    return replace(cell, finished=finished, diverged=cell.diverged - {left_out})


def _counted(cell: Cell, chance: Mapping[str, float]) -> Cell:
    """A cell with its diverged networks counted as guessing."""
    guessed = dict.fromkeys(cell.diverged, chance.get(cell.names["dataset"], 0.0))
    return replace(cell, finished=dict(sorted({**cell.finished, **guessed}.items())), diverged=frozenset())


def _row(check: str, found: Contrast, margin: float) -> dict[str, Any]:
    return {
        **found.cell.names,
        "check": check,
        "n": found.difference.n,
        **comparison(found, margin),
        "measure": found.cell.measure,
    }


def _signs(contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """The sign test of each headline, corrected over all of them; differences of nothing take no part."""
    found = [c for c in contrasts if _is_headline(c)]
    p_values = {c.hypothesis: _sign_p(c) for c in contrasts if c.primary and c.tested}
    adjusted = holm(p_values)
    return [_sign_row(c, p_values.get(c.hypothesis), adjusted.get(c.hypothesis)) for c in found]


def _sign_p(found: Contrast) -> float:
    above, below = _numbers(found)
    return float(binomtest(above, above + below).pvalue) if above + below else 1.0


def _numbers(found: Contrast) -> tuple[int, int]:
    values = found.difference.values
    return sum(value > SAME for value in values), sum(value < -SAME for value in values)


def _sign_row(found: Contrast, p: float | None, p_holm: float | None) -> dict[str, Any]:
    above, below = _numbers(found)
    return {
        **found.cell.names,
        "check": SIGNS,
        "n": found.difference.n,
        "difference": found.difference.mean,
        "p_value": p,
        "p_holm": p_holm,
        "verdict": _sign_verdict(p, p if p_holm is None else p_holm, above > below, found),
        "measure": found.cell.measure,
    }


def _sign_verdict(p: float | None, counting: float | None, positive: bool, found: Contrast) -> str:
    if found.diverged:
        return words.DIVERGED
    if found.baseline is None or found.identical:
        return words.NO_BASELINE if found.baseline is None else words.IDENTICAL
    if counting is not None and counting < words.LEVEL and found.difference.n >= FEWEST:
        return in_words(words.HELPS if positive else words.HURTS, found.cell.measure)
    return words.undecided(p)
