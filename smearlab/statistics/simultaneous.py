"""Intervals that hold together over a family of tests, and never contradict Holm's decisions."""

from collections.abc import Collection

from smearlab.statistics.families import Hypothesis, sizes
from smearlab.statistics.paired import SAME, Difference
from smearlab.statistics.verdict import LEVEL

Ends = tuple[float | None, float | None]


def simultaneous(difference: Difference, *, size: int, p: float | None) -> Ends:
    """Return the interval of a difference that holds together with those of its family; (None, None) without a test.

    `size` is the number of tests in the family, `p` the p-value that counts there (Holm's; of a lone test its own).
    Bonferroni's interval, of level 1 - 0.05 / size. Holm decides more: where he does, an end beyond 0 is taken back
    to just on this side of it, as the confidence sets of step-down tests are (Guilbaud 2008; Strassburger and Bretz
    2008).
    """
    ends = difference.interval(1 - LEVEL / size)
    if ends is None:
        return None, None
    low, high = ends
    if p is None or p >= LEVEL or low > 0 or high < 0:
        return low, high
    return (SAME, high) if (difference.mean or 0) > 0 else (low, -SAME)


def simultaneous_of(
    tests: Collection[Hypothesis], test: Hypothesis, difference: Difference, p: float | None
) -> dict[str, float | None]:
    """Return the columns of that interval for one of some tests; empty values for one that was not made."""
    size = sizes(tests).get(test)
    low, high = (None, None) if size is None else simultaneous(difference, size=size, p=p)
    return {"ci_low_simultaneous": low, "ci_high_simultaneous": high}
