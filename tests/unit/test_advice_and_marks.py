"""The page contradicts itself nowhere: no gain of other choices beside cross-entropy, no mark of two methods."""

import json

import pandas as pd
import pytest

from smearlab.figures._style import family_markers
from smearlab.report.sections.advice import _advice


def advised(**chosen: int) -> str:
    row = {"advice": max(chosen, key=lambda name: chosen[name]), "note": "", "chosen": json.dumps(chosen)}
    return _advice(pd.Series(row), {}).text


def test_a_gain_that_other_choices_made_is_not_said_of_cross_entropy():
    assert advised(cross_entropy=5) == "cross entropy"
    assert advised(cross_entropy=3, label_smoothing=2).startswith("none alone; most often cross entropy")
    assert advised(forward=3, cross_entropy=2) == "forward"


@pytest.mark.parametrize("variants", [1, 2, 5, 12])
def test_variants_of_a_method_differ_in_their_mark(variants):
    methods = ("cross_entropy", "forward", "mine", "yours")
    families = [(f"{method} ({i})", method) for method in methods for i in range(variants)]
    marks = family_markers(families)
    assert len({(method, marks[name]) for name, method in families}) == len(families)
    assert marks["forward (0)"] == "^"
