"""Transition matrices: closed forms, properties, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core import transition
from smearlab.core.errors import UserError

sizes = st.integers(2, 40)
rates = st.floats(0, 1)


@given(sizes, rates)
def test_symmetric_has_the_rate_off_its_diagonal(n_classes, rate):
    matrix = transition.symmetric(n_classes, rate)
    assert np.allclose(matrix.sum(axis=1), 1, atol=1e-12)
    assert transition.overall_rate(matrix) == pytest.approx(rate, abs=1e-12)
    off_diagonal = matrix[~np.eye(n_classes, dtype=bool)]
    assert np.ptp(off_diagonal) == 0


@given(sizes, rates)
def test_alpha_matching_a_rate_gives_its_symmetric_matrix(n_classes, rate):
    alpha = rate * n_classes / (n_classes - 1)
    assert np.allclose(
        transition.from_alpha(n_classes, alpha), transition.symmetric(n_classes, rate), atol=1e-12, rtol=0
    )


def test_rate_zero_and_alpha_zero_are_the_identity_exactly():
    assert (transition.symmetric(7, 0.0) == np.eye(7)).all()
    assert (transition.from_alpha(7, 0.0) == np.eye(7)).all()
    assert (transition.matched(np.eye(7)) == np.eye(7)).all()


def test_realised_counts_true_against_observed_and_leaves_unknown_labels_out():
    true = np.array([0, 0, 0, 0, 1, 1, -1])
    observed = np.array([0, 0, 0, 1, 1, 0, 1])
    found = transition.realised(true, observed, 3)
    assert found[0].tolist() == [0.75, 0.25, 0]
    assert found[1].tolist() == [0.5, 0.5, 0]
    assert np.isnan(found[2]).all()


def test_json_form_keeps_numbers_and_makes_an_empty_class_keep_its_label():
    found = transition.realised(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    lists = transition.to_lists(found)
    assert lists[2] == [None, None, None]
    assert transition.from_lists(lists).tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]]


def test_overall_rate_weighs_classes_by_their_shares():
    matrix = transition.flips(2, 0.4, [0, 0])
    assert transition.overall_rate(matrix) == pytest.approx(0.2)
    assert transition.overall_rate(matrix, np.array([3, 1])) == pytest.approx(0.1)
    assert transition.matched(matrix, np.array([3, 1]))[0, 1] == pytest.approx(0.1)


def test_condition_number_of_a_symmetric_matrix_is_the_ratio_of_its_eigenvalues():
    # Eigenvalues of (1 - a) I + (a / L) J are 1 and, L - 1 times, 1 - a.
    assert transition.condition_number(transition.from_alpha(10, 0.75)) == pytest.approx(4.0)
    assert transition.condition_number(transition.symmetric(10, 0.9)) is None


def test_a_singular_or_ill_conditioned_matrix_is_refused_with_its_condition_number():
    with pytest.raises(UserError, match=r"methods\[1\].*infinite \(singular\)"):
        transition.check_invertible(transition.symmetric(2, 0.5), "methods[1]")
    with pytest.raises(UserError, match=r"1e\+07, at most 1e\+06"):
        transition.check_invertible(transition.from_alpha(4, 1 - 1e-7), "here")
    assert transition.check_invertible(np.eye(3), "here") is not None


@given(sizes, st.floats(0, 0.8), st.floats(0, 1), st.integers(0, 5))
def test_perturbed_matrix_is_a_transition_matrix_at_the_asked_distance(n_classes, rate, epsilon, seed):
    matrix = transition.symmetric(n_classes, rate)
    moved = transition.perturb(matrix, epsilon, seed)
    assert (moved >= -1e-15).all()
    assert np.allclose(moved.sum(axis=1), 1)
    reachable = transition.row_errors(transition.perturb(matrix, 1.0, seed), matrix)
    assert np.allclose(transition.row_errors(moved, matrix), np.minimum(epsilon, reachable), atol=1e-12)


def test_perturbing_is_reproducible_and_differs_by_seed():
    matrix = transition.symmetric(5, 0.2)
    assert (transition.perturb(matrix, 0.1, 3) == transition.perturb(matrix, 0.1, 3)).all()
    assert (transition.perturb(matrix, 0.1, 3) != transition.perturb(matrix, 0.1, 4)).any()
    assert np.array_equal(transition.perturb(matrix, 0.0), matrix)


def test_errors_of_an_estimate_against_hand_counted_numbers():
    truth, estimate = np.eye(2), np.array([[0.9, 0.1], [0.3, 0.7]])
    found = transition.errors(estimate, truth)
    assert found["row_total_variation"] == pytest.approx([0.1, 0.3])
    assert found["mean_total_variation"] == pytest.approx(0.2)
    assert found["max_total_variation"] == pytest.approx(0.3)
    assert found["frobenius"] == pytest.approx(np.sqrt(0.2))
    assert found["condition_number_true"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0, 0], [0, 1, 0]], "shape"),
        ([[0.5, 0.6], [0, 1]], "row 0 .* sums to 1.1"),
        ([[1.5, -0.5], [0, 1]], "0 or more"),
        ([[float("nan"), 1], [0, 1]], "finite"),
        ([["a", "b"], ["c", "d"]], "number"),
        ([[1, 0], [0]], "number"),
        (3, "shape"),
    ],
)
def test_what_is_not_a_transition_matrix_is_refused(matrix, message):
    with pytest.raises(UserError, match=message):
        transition.check_transition(matrix, "T.npy")


def test_size_is_checked_against_the_classes_and_rounding_is_mended():
    with pytest.raises(UserError, match=r"needed \(3, 3\)"):
        transition.check_transition(np.eye(2), "T.npy", n_classes=3)
    rounded = transition.check_transition([[0.3333333, 0.3333333, 0.3333333]] * 3, "T.npy")
    assert np.abs(rounded.sum(axis=1) - 1).max() < 1e-15


@given(st.integers(0, 1000), st.floats(0.0, 0.45))
@settings(deadline=None, max_examples=30)
def test_class_shares_are_those_that_gave_the_observed_ones(seed: int, rate: float) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.full(5, 4.0))
    matrix = transition.flips(5, rate, [1, 2, 3, 4, 4])
    found = transition.class_shares(matrix, shares @ matrix)
    assert np.allclose(found @ matrix, shares @ matrix, atol=1e-4)
    assert found.min() >= 0 and found.sum() == pytest.approx(1)
