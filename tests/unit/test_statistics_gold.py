"""How many gold examples show a sign, and how many decide: against closed forms and by drawing."""

import numpy as np
import pytest

from smearlab.statistics import gold


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
