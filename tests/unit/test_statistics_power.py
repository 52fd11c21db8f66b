import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from smearlab.statistics.paired import Difference
from smearlab.statistics.power import equivalence_power, replicates_needed, superiority_power


def spread(mean, deviation):
    """Four differences of exactly this mean and standard deviation."""
    pattern = np.array([-1, -1, 1, 1]) * np.sqrt(3 / 4)
    return Difference(tuple(mean + deviation * pattern))


@pytest.mark.parametrize("effect, n", [(0.5, 34), (0.8, 15), (-0.8, 15), (0.2, 199)])
def test_superiority_needs_what_the_tables_say(effect, n):
    # the classic sizes of a paired t-test: Cohen's d 0.2, 0.5 and 0.8 at 80 % power and 5 %
    assert replicates_needed(spread(effect / 50, 1 / 50), 0.1) == n


@pytest.mark.parametrize("n, effect", [(3, 1.5), (10, 0.4), (500, 0.1)])
def test_superiority_power_is_that_of_statsmodels(n, effect):
    assert superiority_power(n, effect) == pytest.approx(TTestPower().power(effect, n, 0.05))


def test_equivalence_power_agrees_with_simulation():
    rng = np.random.default_rng(1)
    n, effect, bound, critical = 12, 0.2, 1.0, 1.795885
    draws = rng.normal(effect, 1.0, (40_000, n))
    half = critical * draws.std(axis=1, ddof=1) / np.sqrt(n)
    inside = (draws.mean(axis=1) - half > -bound) & (draws.mean(axis=1) + half < bound)
    assert equivalence_power(n, effect, bound) == pytest.approx(inside.mean(), abs=0.01)


@pytest.mark.parametrize("mean", [0.0, 0.002, -0.002])
def test_a_small_difference_is_planned_for_equivalence(mean):
    found = replicates_needed(spread(mean, 0.004), 0.5)
    assert equivalence_power(found, mean / 0.004, 0.005 / 0.004) >= 0.8
    assert equivalence_power(found - 1, mean / 0.004, 0.005 / 0.004) < 0.8


def test_the_larger_the_spread_the_more_replicates():
    needed = [replicates_needed(spread(0.01, deviation), 0.5) for deviation in (0.001, 0.01, 0.02, 0.05, 0.2)]
    assert needed[0] == 3
    assert needed == sorted(needed)
    assert needed[-1] > 3000


@pytest.mark.parametrize(
    "difference, margin",
    [
        (Difference(()), 0.5),
        (Difference((0.1, 0.2)), 0.5),
        (Difference((0.1, 0.1, 0.1)), 0.5),
        (Difference((-0.1, 0.0, 0.1)), 0.0),
        (spread(0.004999999, 0.01), 0.5),
    ],
    ids=["nothing", "too few", "no spread", "no difference and no margin", "on the margin"],
)
def test_where_no_number_decides_there_is_none(difference, margin):
    assert replicates_needed(difference, margin) is None
