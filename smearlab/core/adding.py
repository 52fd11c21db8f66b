"""Sums of floats that are the same on every Python: the built-in `sum` rounds otherwise since 3.12."""

from collections.abc import Iterable
from functools import reduce
from operator import add


def left_to_right(values: Iterable[float]) -> float:
    """Return the sum of finite floats, each added to the sum of those before it; 0.0 of none.

    That is what `sum` gave up to Python 3.11, with which 0.1.0 was run; `math.fsum` would move its last digits.
    """
    return reduce(add, values, 0.0)
