"""How many paired replicates a decision would need."""

from collections.abc import Callable

import numpy as np
from scipy.special import nctdtr, stdtrit

from smearlab.statistics.paired import FEWEST, Difference
from smearlab.statistics.verdict import LEVEL

POWER = 0.8
MOST = 1_000_000
"""More replicates than this are no plan."""
STEEPEST = 20.0
"""Effects of more standard deviations need no more than the fewest replicates, and overflow noncentral t."""


def replicates_needed(difference: Difference, margin: float) -> int | None:
    """Return the paired replicates in all (noise seeds in a crossed design) that decide with 80 % power.

    It takes the observed difference and spread for the true ones: from the margin (points) on, a two-sided
    t-test at 5 %, unadjusted; below it, two one-sided tests at 5 % for equivalence. None without a spread.
    """
    mean, deviation = difference.mean, difference.deviation
    if not difference.testable or mean is None or deviation is None:
        return None
    effect, bound = mean / deviation, margin / 100 / deviation
    if abs(mean) < margin / 100:
        return _fewest(lambda n: equivalence_power(n, effect, bound))
    return _fewest(lambda n: superiority_power(n, effect)) if effect else None


def superiority_power(n: int, effect: float) -> float:
    """Return the power of the two-sided paired t-test; `effect` is in standard deviations of a difference."""
    shift = np.clip(effect, -STEEPEST, STEEPEST) * np.sqrt(n)
    critical = stdtrit(n - 1, 1 - LEVEL / 2)
    return float(1 - nctdtr(n - 1, shift, critical) + nctdtr(n - 1, shift, -critical))


def equivalence_power(n: int, effect: float, bound: float) -> float:
    """Return the power of the two one-sided paired t-tests, as the usual lower bound (Phillips 1990).

    `effect` and `bound` are in standard deviations: P(below the upper bound) + P(above the lower one) - 1.
    """
    critical = stdtrit(n - 1, 1 - LEVEL)
    upper, lower = np.clip([effect - bound, effect + bound], -STEEPEST, STEEPEST) * np.sqrt(n)
    return max(0.0, float(nctdtr(n - 1, upper, -critical) - nctdtr(n - 1, lower, critical)))


def _fewest(power: Callable[[int], float]) -> int | None:
    """Return the smallest n with enough power, by doubling and halving: power grows with n."""
    high = FEWEST
    while power(high) < POWER:
        high *= 2
        if high > MOST:
            return None
    low = max(FEWEST, high // 2 + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle + 1, high)
    return high
