"""What a paired t-test can find: the smallest difference, and the pairs that a difference needs (noncentral t)."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

LEVEL = 0.05
POWER = 0.8
FEWEST = 3
"""Independent differences below which nothing is tested."""
MOST = 1_000_000
"""More replicates than this are no plan."""
STEEPEST = 20.0
"""Effects of more standard deviations need no more than the fewest replicates, and overflow noncentral t."""


def superiority_power(n: int, effect: float, level: float = LEVEL) -> float:
    """Return the power of the two-sided paired t-test; `effect` is in standard deviations of a difference."""
    shift = min(abs(effect), STEEPEST) * np.sqrt(n)
    critical = stdtrit(n - 1, 1 - level / 2)
    missed, wrong_sign = nctdtr(n - 1, shift, critical), nctdtr(n - 1, shift, -critical)
    if np.isnan(missed):  # in scipy so where it is as good as 0 or 1
        missed = float(shift < critical)
    return float(1 - missed + np.nan_to_num(wrong_sign))


def equivalence_power(n: int, effect: float, bound: float) -> float:
    """Return the power of the two one-sided paired t-tests, as the usual lower bound (Phillips 1990).

    `effect` and `bound` are in standard deviations: P(below the upper bound) + P(above the lower one) - 1.
    """
    critical = stdtrit(n - 1, 1 - LEVEL)
    upper, lower = np.clip([effect - bound, effect + bound], -STEEPEST, STEEPEST) * np.sqrt(n)
    return max(0.0, float(nctdtr(n - 1, upper, -critical) - nctdtr(n - 1, lower, critical)))


def detectable(n: int, size: int = 1) -> float | None:
    """Return the smallest true difference, in standard deviations of a paired one, found with 80 % power.

    n pairs, two-sided t-test at 5 %, the first of `size` tests in Holm's order. None below three pairs, and where not
    even 20 standard deviations are found.
    """
    if n < FEWEST or superiority_power(n, STEEPEST, LEVEL / size) < POWER:
        return None
    return float(brentq(lambda effect: superiority_power(n, effect, LEVEL / size) - POWER, 0.0, STEEPEST))


def pairs_to_find(effect: float, size: int = 1) -> int | None:
    """Return the fewest pairs that find a difference of `effect` standard deviations as `detectable` means it."""
    return _fewest(lambda n: superiority_power(n, effect, LEVEL / size))


def pairs_to_exclude(bound: float) -> int | None:
    """Return the fewest pairs that show no difference to lie within ± `bound` standard deviations, with 80 % power."""
    return _fewest(lambda n: equivalence_power(n, 0.0, bound))


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
