import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from configs import config
from smearlab.cli.foresee import hypotheses, lines
from smearlab.core.power import detectable, equivalence_power, pairs_to_exclude, pairs_to_find, superiority_power
from smearlab.grid.cells import load_grid


@pytest.mark.parametrize("effect, n", [(0.5, 34), (0.8, 15), (-0.8, 15), (0.2, 199)])
def test_superiority_needs_what_the_tables_say(effect, n):
    # the classic sizes of a paired t-test: Cohen's d 0.2, 0.5 and 0.8 at 80 % power and 5 %
    assert pairs_to_find(effect) == n


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


def test_the_pairs_that_exclude_a_bound_are_the_fewest_that_do():
    found = pairs_to_exclude(1.25)
    assert equivalence_power(found, 0.0, 1.25) >= 0.8 > equivalence_power(found - 1, 0.0, 1.25)


def test_five_replicates_find_three_standard_deviations_as_the_first_of_nine():
    assert detectable(5, 9) == pytest.approx(3.07, abs=0.005)


@pytest.mark.parametrize("n, size", [(3, 1), (5, 1), (5, 9), (10, 14), (50, 3)])
def test_what_n_finds_is_found_with_80_percent_power_as_statsmodels_has_it(n, size):
    effect = detectable(n, size)
    assert TTestPower().power(effect, n, 0.05 / size) == pytest.approx(0.8, abs=1e-6)
    assert pairs_to_find(effect * 1.0001, size) == n


@pytest.mark.parametrize("n", [4, 12, 40, 300, 5000])
def test_far_from_any_doubt_the_power_is_still_a_number(n):
    for size in (1, 9, 200):
        powers = [superiority_power(n, effect, 0.05 / size) for effect in (0.0, 0.3, 3.0, 12.0, 20.0)]
        assert np.isfinite(powers).all() and powers == sorted(powers) and 0 < detectable(n, size) < 20


def test_too_few_replicates_find_nothing():
    assert detectable(2) is None and detectable(3, 100_000) is None
    assert pairs_to_find(0.0) is None and pairs_to_find(1000.0) == 3


def test_a_plan_says_what_each_family_can_find_and_what_the_margin_needs():
    grid = load_grid(config(("recipes.small.block_size", 5)))
    assert (
        list(hypotheses(grid).values()) == [5] * 6
    )  # headline and another smoothing at either rate, two corrections at 40 %
    said = "\n".join(lines(grid))
    assert f"headlines, 2 tests a family, n = 5: {detectable(5, 2):.2f} for the first" in said
    assert f"corrections, 2 tests a family, n = 5: {detectable(5, 2):.2f} for the first" in said
    assert f"smoothing, 1 test a family, n = 5: {detectable(5):.2f}\n" in said
    assert f"standard deviation of 0.5 points: {pairs_to_find(1.0, 2)} and {pairs_to_exclude(1.0)}" in said


@pytest.mark.parametrize("n", range(4, 30))
def test_the_fewest_pairs_are_the_fewest(n):
    """An effect that n pairs find with 80 % power, and that n - 1 do not, needs n."""
    effect = detectable(n) * 1.0001
    assert superiority_power(n, effect) >= 0.8 > superiority_power(n - 1, effect)
    assert pairs_to_find(effect) == n
