"""Does a method mitigate noise, or does it help with and without? Its gain under noise minus its gain without."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import (
    NAMES,
    Cell,
    Peers,
    Replicate,
    key_of,
    mean,
    name_types,
    read,
    records,
    table,
    types_of,
)
from smearlab.statistics.families import holm, hypothesis
from smearlab.statistics.paired import FEWEST, Difference, by_replicate, is_crossed
from smearlab.statistics.simultaneous import simultaneous_of

MITIGATES = "mitigates"
NO_MORE = "helps, but no more than without noise"
DOES_NOT = "does not"
ACROSS_RATES = tuple(name for name in NAMES if name not in ("noise", "noise_rate"))
COLUMNS = {**name_types(NAMES), **types_of(columns.MITIGATION)}


@dataclass(frozen=True)
class Four:
    """A method and plain cross-entropy, under noise and without."""

    noisy: Cell
    noisy_plain: Cell
    clean: Cell
    clean_plain: Cell

    @property
    def diverged(self) -> int:
        """Replicates of the four that diverged."""
        return sum(len(c.diverged) for c in (self.noisy, self.noisy_plain, self.clean, self.clean_plain))

    @property
    def gains(self) -> tuple[dict[Replicate, float], dict[Replicate, float]]:
        """The differences to plain cross-entropy by replicate, under noise and without."""
        return by_replicate(self.noisy, self.noisy_plain), by_replicate(self.clean, self.clean_plain)

    @property
    def crossed(self) -> bool:
        """Whether several training seeds share their noisy labels, so that rate 0 has nothing to pair them by."""
        return is_crossed(self.gains[0])

    @property
    def difference(self) -> Difference:
        """Gain under noise minus gain without, a value per training seed."""
        noisy, clean = ({seed: value for (_, seed), value in gains.items()} for gains in self.gains)
        shared = () if self.crossed else sorted(noisy.keys() & clean.keys())
        return Difference(tuple(noisy[seed] - clean[seed] for seed in shared))

    @property
    def tested(self) -> Difference:
        """The difference, without a value where a network diverged."""
        return Difference(()) if self.diverged else self.difference

    @property
    def lost(self) -> float | None:
        """What noise costs plain cross-entropy."""
        before, after = mean(self.clean_plain.finished), mean(self.noisy_plain.finished)
        return None if before is None or after is None else before - after


def mitigation(metrics: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Return a row per teacher cell under noise of a method that the grid also has at rate 0 (of any noise).

    `gain` and `gain_without_noise` are mean paired differences to plain cross-entropy, `difference` the first minus
    the second, paired by training seed: at rate 0 no noise seed draws anything. `n` counts the seeds that both have.
    Student's t, 95 % interval, Holm's families as in the summary. `lost_to_noise` is plain
    cross-entropy at rate 0 minus under this noise, `share_recovered` the gain divided by it (null if nothing was
    lost). Accuracies in 0..1. A crossed design has no seeds to pair rate 0 by and is not tested.

    The finding rests on `summary`'s verdict on the gain and on its margin. A gain that hurts or makes no practical
    difference: `does not`. A gain that helps: `helps, but no more than without noise` if the 90 % interval of the
    difference ends below the margin, else `mitigates` if the difference is positive with p < 0.05. Everything else is
    `not decided` or `not enough data`; `diverged` where one of the four networks did in some replicate.
    """
    cells = [cell for cell in read(metrics) if cell.names["role"] == "teacher" and cell.n]
    judged = {key_of(row): row for row in records(summary, [*NAMES, "verdict", "primary", "margin"])}
    found = [(four, judged[four.noisy.key()]) for four in _fours(cells)]
    tests = [hypothesis(four.noisy, primary=bool(row["primary"])) for four, row in found]
    p_values = {test: p for test, (four, _) in zip(tests, found, strict=True) if (p := _p_value(four)) is not None}
    adjusted = holm(p_values)
    rows = [_row(*pair, adjusted.get(test)) for test, pair in zip(tests, found, strict=True)]
    for test, row, (four, _) in zip(tests, rows, found, strict=True):
        row |= simultaneous_of(p_values, test, four.tested, row["p_value"] if row["p_holm"] is None else row["p_holm"])
    return table(rows, COLUMNS)


def _fours(cells: list[Cell]) -> list[Four]:
    peers = Peers(cells)
    clean: dict[tuple[Any, ...], Cell] = {}
    for cell in cells:
        if cell.names["noise_rate"] == 0:
            clean.setdefault(cell.key(ACROSS_RATES), cell)
    found = []
    for cell in cells:
        without, plain = clean.get(cell.key(ACROSS_RATES)), peers.plain(cell)
        clean_plain = peers.plain(without) if without else None
        if cell.names["noise_rate"] and not cell.is_plain and without and plain and clean_plain:
            found.append(Four(cell, plain, without, clean_plain))
    return found


def _p_value(four: Four) -> float | None:
    return four.tested.p_value


def _row(four: Four, judged: Mapping[str, Any], p_holm: float | None) -> dict[str, Any]:
    difference, p = four.difference, _p_value(four)
    low, high = four.tested.interval() or (None, None)
    gain, before = (mean(gains) for gains in four.gains)
    return {
        **four.noisy.names,
        "n": difference.n,
        "gain": gain,
        "gain_without_noise": before,
        "difference": difference.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": p,
        "p_holm": p_holm,
        "lost_to_noise": four.lost,
        "share_recovered": gain / four.lost if gain is not None and four.lost and four.lost > 0 else None,
        "finding": _finding(four, judged, p if p_holm is None else p_holm),
        "measure": four.noisy.measure,
        "note": _note(four),
    }


def _finding(four: Four, judged: Mapping[str, Any], p: float | None) -> str:
    if four.diverged:
        return words.DIVERGED
    if judged["verdict"] in (words.HURTS, words.NO_DIFFERENCE, words.IDENTICAL):
        return DOES_NOT
    difference = four.difference
    if judged["verdict"] != words.HELPS:
        return words.NOT_DECIDED if judged["verdict"] == words.NOT_DECIDED else words.NOT_ENOUGH
    if difference.n < FEWEST or difference.mean is None:
        return words.NOT_ENOUGH
    if _ends_below(difference, judged["margin"] / 100):
        return NO_MORE
    if p is not None and p < words.LEVEL and difference.mean > 0:
        return MITIGATES
    return words.undecided(difference.p_value)


def _ends_below(difference: Difference, bound: float) -> bool:
    """Whether a difference is shown to be smaller than the bound: one-sided t-test at 5 %; without spread its value."""
    interval = difference.interval(1 - 2 * words.LEVEL)
    return max(difference.values) < bound if interval is None else interval[1] < bound


def _note(four: Four) -> str | None:
    if four.diverged:
        return f"{words.DIVERGED}: {four.diverged} networks"
    if four.crossed:
        return "crossed design: rate 0 has no noise seeds to pair by"
    if four.difference.n < FEWEST:
        return f"{four.difference.n} training seeds have both; a test needs {FEWEST}"
    return "all differences are equal: no spread to test" if four.difference.all_equal else None
