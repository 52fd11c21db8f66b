"""Paired differences: what two cells differ by on the replicates they share, with Student's t."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from smearlab.core.power import FEWEST
from smearlab.statistics.cells import Cell, Replicate

SAME = 1e-9
"""Differences this close are equal: accuracies are counts over at most millions of examples."""


@dataclass(frozen=True)
class Difference:
    """Independent differences of accuracy in -1..1: one per replicate or, if crossed, one per noise seed."""

    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """Number of independent differences."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """Mean difference; None when there is none."""
        return float(np.mean(self.values)) if self.values else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation (n - 1 in the denominator) of the differences; None below two."""
        return float(np.std(self.values, ddof=1)) if self.n > 1 else None

    @property
    def all_equal(self) -> bool:
        """Whether the differences have no spread, so that t is undefined."""
        return bool(self.values) and max(self.values) - min(self.values) <= SAME

    @property
    def testable(self) -> bool:
        """Whether there are enough differences, with some spread among them."""
        return self.n >= FEWEST and not self.all_equal

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the unadjusted t interval of the mean difference; None when it is not testable."""
        mean, deviation = self.mean, self.deviation
        if not self.testable or mean is None or deviation is None:
            return None
        half = float(stdtrit(self.n - 1, (1 + level) / 2)) * deviation / np.sqrt(self.n)
        return float(mean - half), float(mean + half)

    @property
    def p_value(self) -> float | None:
        """Two-sided p of the paired t-test against no difference; None when it is not testable."""
        mean, deviation = self.mean, self.deviation
        if not self.testable or mean is None or deviation is None:
            return None
        t = mean / (deviation / np.sqrt(self.n))
        return float(2 * stdtr(self.n - 1, -abs(t)))


def between(cell: Cell, other: Cell) -> Difference:
    """Return cell minus other over the replicates that finished in both."""
    return independent(by_replicate(cell, other))


def by_replicate(cell: Cell, other: Cell) -> dict[Replicate, float]:
    """Return cell minus other for each replicate that finished in both, in order."""
    shared = sorted(cell.finished.keys() & other.finished.keys())
    return {replicate: cell.finished[replicate] - other.finished[replicate] for replicate in shared}


def independent(values: Mapping[Replicate, float]) -> Difference:
    """Reduce a value per replicate to independent values.

    Replicates that share their noisy labels are not independent, so a crossed design gives its means per
    noise seed. One noise seed with many training seeds is the paired design of a noise that draws nothing.
    """
    if not is_crossed(values):
        return Difference(tuple(values[replicate] for replicate in sorted(values)))
    by_labels: dict[int, list[float]] = {}
    for replicate in sorted(values):
        by_labels.setdefault(replicate[0], []).append(values[replicate])
    return Difference(tuple(float(np.mean(group)) for group in by_labels.values()))


def is_crossed(replicates: Mapping[Replicate, float]) -> bool:
    """Whether there are several noise seeds, one of them with several training seeds."""
    return 1 < len({noise_seed for noise_seed, _ in replicates}) < len(replicates)
