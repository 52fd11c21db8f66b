import numpy as np
import pandas as pd
import pytest
from statistics_rows import frame, teacher

from smearlab.statistics.variance import COLUMNS, binomial_standard_error, components, variance_split


def cell(accuracy, **columns):
    return teacher(accuracies={(n, t): a for (n, t), a in np.ndenumerate(np.asarray(accuracy))}, **columns)


def test_components_by_hand():
    # row means 5 and 6, column means 4.5 and 6.5: MS_rows = 1, MS_columns = 4; MS_left is 0, then 4 (±1 each)
    assert components(np.array([[4.0, 6.0], [5.0, 7.0]])) == (0.5, 2.0, 0.0)
    assert components(np.array([[5.0, 5.0], [4.0, 8.0]])) == (0.0, 0.0, 4.0)


def test_components_are_unbiased():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(3000):
        labels, training = rng.normal(0, 3, (6, 1)), rng.normal(0, 2, (1, 5))
        found.append(components(50 + labels + training + rng.normal(0, 1, (6, 5))))
    assert np.mean(found, axis=0) == pytest.approx([9, 4, 1], rel=0.1)


def test_the_split_of_a_crossed_design():
    row = variance_split(frame(cell([[0.80, 0.84], [0.82, 0.86]]))).iloc[0]
    assert (row["n_noise_seeds"], row["n_seeds"], row["n_left_out"]) == (2, 2, 0)
    assert row["std_labels"] == pytest.approx(0.02 / np.sqrt(2))
    assert row["std_training"] == pytest.approx(0.04 / np.sqrt(2))
    assert row["std_residual"] == pytest.approx(0, abs=1e-9)
    assert row["share_labels"] == pytest.approx(0.2)
    assert row["share_training"] == pytest.approx(0.8)


@pytest.mark.parametrize("seeds", [[(0, 0), (1, 1), (2, 2)], [(0, 0), (0, 1), (0, 2)], [(0, 0), (1, 0)], [(0, 0)], []])
def test_without_two_of_each_seed_there_is_no_split(seeds):
    rows = teacher(accuracies=dict.fromkeys(seeds, 0.8)) or teacher(accuracies=(None,))
    row = variance_split(frame(rows)).iloc[0]
    assert row[[name for name in COLUMNS if name.startswith(("std", "share"))]].isna().all()


@pytest.mark.parametrize("hole, size, left", [((2, 0), (2, 3), 2), ((0, 1), (2, 3), 2)])
def test_what_an_incomplete_design_leaves_out_is_counted(hole, size, left):
    accuracy = np.add.outer([0.70, 0.72, 0.77], [0.0, 0.02, 0.03])
    accuracies = {index: None if index == hole else value for index, value in np.ndenumerate(accuracy)}
    row = variance_split(frame(teacher(accuracies=accuracies))).iloc[0]
    assert (row["n_noise_seeds"], row["n_seeds"], row["n_left_out"]) == (*size, left)
    kept = np.delete(accuracy, hole[0], axis=0)
    assert row["std_labels"] == pytest.approx(np.sqrt(components(kept)[0]))


def test_training_seeds_are_left_out_where_that_keeps_more():
    accuracies = {(n, t): 0.7 + n / 50 + t / 100 for n in range(3) for t in range(4) if (n, t) not in [(0, 3), (1, 3)]}
    row = variance_split(frame(teacher(accuracies=accuracies))).iloc[0]
    assert (row["n_noise_seeds"], row["n_seeds"], row["n_left_out"]) == (3, 3, 1)


def test_equal_accuracies_have_no_shares():
    row = variance_split(frame(cell(np.full((3, 3), 0.7)))).iloc[0]
    assert row["std_labels"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(row["share_labels"])


def test_an_empty_table():
    assert list(variance_split(pd.DataFrame()).columns) == list(COLUMNS)


def test_the_binomial_standard_error():
    assert binomial_standard_error(0.8, 400) == pytest.approx(0.02)
    assert list(binomial_standard_error(pd.Series([0.5, 1.0, 0.0]), 100)) == pytest.approx([0.05, 0, 0])
