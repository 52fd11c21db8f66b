"""Durations as the logs say them, and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smearlab.host.durations import duration, seconds_of

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0 s"), (41.4, "41 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")),
        *((2 * DAY - 1, "47 h 59 min"), (2 * DAY, "2 days 0 h"), (3 * DAY + 4 * HOUR + 50 * MINUTE, "3 days 4 h")),
    ],
)
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


@given(st.integers(0, 1000 * DAY))
def test_a_duration_is_read_back_to_its_smallest_unit(seconds):
    unit = 1 if seconds < HOUR else MINUTE if seconds < 2 * DAY else HOUR
    assert seconds_of(duration(seconds)) == seconds - seconds % unit


@pytest.mark.parametrize("text", ["", "s", "5", "5 minutes", "-5 s", "3 days and more", "4 h 3 days"])
def test_what_is_no_duration_has_no_seconds(text):
    assert seconds_of(text) is None
