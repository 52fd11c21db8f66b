"""Sums of floats have one value on every Python."""

from hypothesis import given
from hypothesis import strategies as st

from smearlab.core.adding import left_to_right


def test_each_is_added_to_those_before_it_and_what_is_lost_so_stays_lost() -> None:
    assert left_to_right([0.1] * 10) == 0.9999999999999999  # math.fsum, and sum since Python 3.12, give 1.0
    assert left_to_right([1e16, 1.0, 1.0]) == 1e16
    assert left_to_right([]) == 0.0


@given(st.lists(st.integers(-(2**40), 2**40).map(float)))
def test_whole_numbers_are_summed_exactly(values: list[float]) -> None:
    assert left_to_right(values) == sum(map(int, values))
