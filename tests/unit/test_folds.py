"""Stratified folds: every example once, sizes and strata balanced, and the generator alone decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.core.folds import stratified_folds


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    count = draw(st.integers(2, 7))
    strata = draw(st.lists(st.integers(0, 5), min_size=count, max_size=80))
    return np.array(strata), count


@settings(deadline=None)
@given(problems(), st.integers(0, 1000))
def test_folds_and_strata_are_balanced_to_within_one(problem: tuple[np.ndarray, int], seed: int) -> None:
    strata, count = problem
    folds = stratified_folds(strata, count, np.random.default_rng(seed))
    sizes = np.bincount(folds, minlength=count)
    assert sizes.sum() == len(strata) and len(sizes) == count
    assert sizes.max() - sizes.min() <= 1
    for stratum in np.unique(strata):
        shares = np.bincount(folds[strata == stratum], minlength=count)
        assert shares.max() - shares.min() <= 1


@settings(deadline=None)
@given(problems(), st.integers(0, 1000))
def test_the_generator_alone_decides(problem: tuple[np.ndarray, int], seed: int) -> None:
    strata, count = problem
    first, second = (stratified_folds(strata, count, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, second)


def test_every_example_may_come_into_every_fold() -> None:
    strata = np.repeat([0, 1], [7, 4])
    drawn = np.stack([stratified_folds(strata, 3, np.random.default_rng(seed)) for seed in range(200)])
    for example in range(len(strata)):
        assert np.bincount(drawn[:, example], minlength=3).min() > 30  # a third of 200, less seven deviations


def test_more_folds_than_examples_are_refused() -> None:
    with pytest.raises(UserError, match="3 examples cannot be put into 4 folds"):
        stratified_folds(np.zeros(3, dtype=np.int64), 4, np.random.default_rng(0))
