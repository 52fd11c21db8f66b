"""An interval in words never seems to hold 0 where it leaves it out, nor the other way round."""

import math

import pandas as pd
import pytest

from smearlab.figures._format import interval
from smearlab.report.mitigation import sentences
from smearlab.statistics.paired import Difference
from smearlab.statistics.simultaneous import simultaneous


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((-0.087, -1e-9), "−8.7 to −0.0"),
        ((1e-9, 0.042), "+0.0 to +4.2"),
        ((-0.01, 0.0), "−1.0 to 0.0"),
        ((0.0, 1e-17), "0.0 to 0.0"),
        ((-0.0001, 0.0004), "−0.01 to +0.04"),
        ((math.nan, 0.1), "–"),
    ],
)
def test_the_sign_of_an_end_beside_0_is_kept(ends, said):
    assert interval(*ends) == said


def test_what_holm_decides_beyond_bonferroni_is_seen_to_leave_0_out():
    """Five gains whose Bonferroni interval for ten tests holds 0, decided by Holm."""
    found = simultaneous(Difference((0.01, 0.02, 0.03, 0.035, 0.005)), size=10, p=0.04)
    assert interval(*found).startswith("+0.0 to ")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.34, "it makes good 34 % of what noise costs cross-entropy"),
        (-0.06, "it adds 6 % to what noise costs cross-entropy"),
    ],
)
def test_the_share_of_the_loss_is_said_in_words_of_a_decided_gain_only(share, said):
    row = {"noise_rate": 0.4, "difference": 0.01, "ci_low": 0.0, "ci_high": 0.1, "n": 5, "finding": "x"}
    for verdict, is_said in (("helps", True), ("hurts", True), ("not enough data", False), ("diverged", False)):
        found = sentences(pd.DataFrame([{**row, "share_recovered": share, "verdict": verdict}]))
        assert (said in found[0]) == is_said
