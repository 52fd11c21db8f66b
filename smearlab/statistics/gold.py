"""How many test examples with their true label a question needs."""

import math

from scipy.special import ndtri

from smearlab.core.power import LEVEL, POWER
from smearlab.statistics.drawn_difference import DrawnDifference
from smearlab.statistics.paired import Difference

SURE = 0.95
"""In this share of draws the sign is to be right."""


def for_the_sign(difference: float, spread: float) -> int:
    """Return the gold examples, drawn at random, with which the sign of a difference is right in 95 % of draws.

    difference: of two accuracies, not 0. spread: the standard deviation over examples of their difference (both in
    0..1). Normal approximation to the mean of the differences.
    """
    return _examples(ndtri(SURE), difference, spread)


def to_decide(difference: float, spread: float) -> int:
    """Return the gold examples with which a two-sided test at 5 % finds the same difference with 80 % power."""
    return _examples(ndtri(1 - LEVEL / 2) + ndtri(POWER), difference, spread)


def decided_by(n: int, spread: float) -> float:
    """Return the smallest difference, in 0..1, that n gold examples decide as `to_decide` means it."""
    return float((ndtri(1 - LEVEL / 2) + ndtri(POWER)) * spread / math.sqrt(n))


def examples_needed(difference: Difference) -> int | None:
    """Return the gold examples in all that decide with 80 % power, the difference and its spreads taken as seen.

    None without a gold set, and where replicates alone leave too much open: then more of those are needed first.
    """
    if not isinstance(difference, DrawnDifference) or not difference.mean:
        return None
    errors = ndtri(1 - LEVEL / 2) + ndtri(POWER)
    among_examples = difference.spread**2 / difference.by_example.shape[1]
    left = (difference.mean / errors) ** 2 - max(difference.variance - among_examples, 0.0)
    return max(1, math.ceil(difference.spread**2 / left)) if left > 0 else None


def _examples(errors: float, difference: float, spread: float) -> int:
    """Return the n of which so many standard errors fit into the difference; at least 1."""
    return max(1, math.ceil(round((errors * spread / difference) ** 2, 6)))
