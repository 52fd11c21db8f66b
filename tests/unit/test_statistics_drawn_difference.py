"""A difference over drawn examples and replicates: unbiased by enumeration, intervals by drawing."""

import itertools

import numpy as np
import pytest

from smearlab.core.drawn import Drawn
from smearlab.statistics.drawn_difference import drawn_difference
from smearlab.statistics.paired import Difference


def whole(n):
    return Drawn(np.zeros(n, int), np.array([n]))


@pytest.mark.parametrize("taken", [(2, 2), (1, 3), (3, 1)])
def test_the_weighted_mean_is_unbiased_over_every_possible_draw(taken):
    """Two strata of 4 and 6: all draws of so many of each, every one as likely."""
    values = np.array([0, 1, 1, -1, 0, 0, 1, 0, 1, 1.0])
    parts = [range(4), range(4, 10)]
    means = []
    for draw in itertools.product(*(itertools.combinations(part, n) for part, n in zip(parts, taken, strict=True))):
        rows = np.concatenate(draw)
        drawn = Drawn((rows >= 4).astype(int), np.array([4, 6]))
        means.append(np.sum(drawn.weights * values[rows]))
    assert np.mean(means) == pytest.approx(values.mean(), abs=1e-12)


def test_the_variance_is_that_of_the_stratified_mean():
    """Cochran 1977, 5.3, without the correction for a finite population: sum of W_h² s_h² / n_h."""
    values = np.array([0.0, 1, 1, 0, -1, 1])
    drawn = Drawn(np.array([0, 0, 0, 1, 1, 1]), np.array([30, 10]))
    expected = 0.75**2 * np.var(values[:3], ddof=1) / 3 + 0.25**2 * np.var(values[3:], ddof=1) / 3
    assert drawn.variance(values) == pytest.approx(expected)


def test_with_examples_alike_it_is_the_paired_t_test():
    found = drawn_difference({(k, k): np.full(50, value) for k, value in enumerate((0.1, 0.2, 0.4, 0.2))}, whole(50))
    plain = Difference((0.1, 0.2, 0.4, 0.2))
    assert found.p_value == pytest.approx(plain.p_value) and found.interval() == pytest.approx(plain.interval())


def test_with_replicates_alike_it_is_the_t_test_over_examples():
    values = np.array([1.0, 0, 0, 1, -1, 0, 0, 1])
    found, plain = (
        drawn_difference(dict.fromkeys([(0, 0), (1, 1), (2, 2)], values), whole(8)),
        Difference(tuple(values)),
    )
    assert found.p_value == pytest.approx(plain.p_value) and found.interval() == pytest.approx(plain.interval())


def test_replicates_that_share_labels_count_as_one():
    rows = {(n, s): np.full(9, n + 0.1 * s) for n in range(3) for s in range(2)}
    assert drawn_difference(rows, whole(9)).values == pytest.approx((0.05, 1.05, 2.05))


def test_the_interval_covers_the_difference_of_all_examples_and_all_replicates():
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(300):
        examples, replicates = rng.normal(0, 0.3, 80), rng.normal(0, 0.05, 5)
        values = 0.1 + examples + replicates[:, None] + rng.normal(0, 0.2, (5, 80))
        low, high = drawn_difference({(k, k): row for k, row in enumerate(values)}, whole(80)).interval()
        covered.append(low <= 0.1 <= high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize(("n", "right"), [(100, 0.945), (200, 0.99)])
def test_a_small_gold_set_gives_the_sign(n, right):
    """The issue's case: +3.2 points, a deviation of 0.2 over examples; 100 give the sign in 94.5 % of draws."""
    rng = np.random.default_rng(11)
    part = np.repeat([1.0, -1.0, 0.0], [180, 20, 4800]) * rng.choice([0.6, 1.0, 1.4], 5000)
    part *= 0.032 / part.mean()
    means = np.array([part[rng.choice(5000, n, replace=False)].mean() for _ in range(2000)])
    assert part.std() == pytest.approx(0.2, abs=0.03)
    assert (means > 0).mean() == pytest.approx(right, abs=0.01)
