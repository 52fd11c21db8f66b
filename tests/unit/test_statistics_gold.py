"""How many gold examples show a sign, and how many decide: against closed forms and by drawing."""

import numpy as np
import pytest

from smearlab.core.drawn import Drawn
from smearlab.statistics import gold
from smearlab.statistics.drawn_difference import drawn_difference
from smearlab.statistics.paired import Difference


def test_the_issue_s_case():
    """100 gold labels gave the right sign in 94.5 % of draws: a difference of 0.16 deviations."""
    assert gold.for_the_sign(0.032, 0.2) == 106
    assert gold.to_decide(0.032, 0.2) == 307


@pytest.mark.parametrize(("difference", "spread"), [(0.02, 0.3), (-0.02, 0.3), (0.1, 0.25)])
def test_the_sign_is_right_in_so_many_draws(difference, spread):
    n = gold.for_the_sign(difference, spread)
    draws = np.random.default_rng(3).normal(difference, spread / np.sqrt(n), 20_000)
    assert (np.sign(draws) == np.sign(difference)).mean() == pytest.approx(0.95, abs=0.01)


def test_what_n_examples_decide_needs_n_examples():
    assert gold.to_decide(gold.decided_by(250, 0.3), 0.3) == 250
    assert gold.for_the_sign(0.9, 0.01) == 1


def drawn(*rows):
    """The differences of replicates on examples of one stratum, drawn from a million."""
    values = {(i, i): np.array(row, dtype=float) for i, row in enumerate(rows)}
    return drawn_difference(values, Drawn(np.zeros(len(rows[0]), dtype=np.int64), np.array([1_000_000])))


def test_replicates_that_agree_leave_what_examples_alone_need():
    found = drawn(*[[1] * 12 + [-1] * 8 + [0] * 80] * 4)
    assert gold.examples_needed(found) == pytest.approx(gold.to_decide(found.mean, found.spread), abs=1)


def test_no_number_of_examples_makes_up_for_replicates_that_differ():
    found = drawn([1] * 9 + [0] * 11, [-1] * 9 + [0] * 11, [1] * 3 + [0] * 17)
    assert found.mean > 0 and gold.examples_needed(found) is None
    assert gold.examples_needed(Difference((0.01, 0.02, 0.03))) is None  # no gold set at all
