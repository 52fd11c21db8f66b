"""The one rule that turns a paired difference into words."""

from smearlab.core.power import LEVEL
from smearlab.statistics.paired import FEWEST, Difference

DIVERGED = "diverged"
NOT_ENOUGH = "not enough data"
NOT_DECIDED = "not decided"
IDENTICAL = "identical"
NO_DIFFERENCE = "no practical difference"
HELPS = "helps"
HURTS = "hurts"
BASELINE = "baseline"
NO_BASELINE = "no baseline"
MISSING = "missing"
DECIDED = (HELPS, HURTS, NO_DIFFERENCE)
OPEN = (NOT_ENOUGH, NOT_DECIDED)
UNDECIDED = (*OPEN, DIVERGED, MISSING, NO_BASELINE)


def verdict(
    difference: Difference, *, p: float | None, margin: float, diverged: bool = False, identical: bool = False
) -> str:
    """Return the verdict on a difference, the first that applies in the order below.

    `p` is the p-value that counts (Holm's, or the raw one of the headline contrast), `margin` the smallest
    difference of interest in points of accuracy.
    """
    if diverged:
        return DIVERGED
    if difference.n < FEWEST:
        return NOT_ENOUGH
    if identical:
        return IDENTICAL
    if is_equivalent(difference, margin):
        return NO_DIFFERENCE
    mean = difference.mean
    if p is not None and mean is not None and p < LEVEL:
        return HELPS if mean > 0 else HURTS
    return undecided(difference.p_value)


def undecided(p_value: float | None) -> str:
    """Return the word for what is open, by the p-value of the test alone.

    `not decided`: alone it would be, but not among the tests of its family. `not enough data`: neither, or no test.
    """
    return NOT_DECIDED if p_value is not None and p_value < LEVEL else NOT_ENOUGH


def is_equivalent(difference: Difference, margin: float) -> bool:
    """Whether the difference is shown to lie within the margin (points).

    Two one-sided t-tests at 5 % (Schuirmann 1987): the 90 % interval lies inside. Without spread among the
    differences their common value decides.
    """
    bound = margin / 100
    if difference.mean is not None and difference.all_equal:
        return abs(difference.mean) < bound
    interval = difference.interval(1 - 2 * LEVEL)
    return interval is not None and -bound < interval[0] and interval[1] < bound
