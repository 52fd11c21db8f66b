"""Estimators of T on a case with a known answer: an asymmetric T and unequal class sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core import registry, transition
from smearlab.core.errors import UserError
from smearlab.estimators import anchor, confident_joint, dual_t, gold

T = np.array(
    [
        [0.7, 0.3, 0.0, 0.0],
        [0.0, 0.8, 0.2, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.25, 0.0, 0.05, 0.7],
    ]
)
SHARES = np.array([0.4, 0.3, 0.2, 0.1])
ESTIMATORS = [anchor.estimate, confident_joint.estimate, dual_t.estimate]
EVERY = [  # that needs no option
    name
    for name in registry.names("estimators")
    if all(o.default is not registry.REQUIRED for o in registry.describe("estimators", name).options.values())
]


def simulate(n=30_000, seed=0, least_sure=0.9, confident=False):
    """Labels drawn from the true noisy posterior p(true | x) T, and that posterior itself.

    p(true | x) is uniform in [least_sure, 1] for one class and equal for the others. `confident` gives the
    probabilities of a network that is sure of the true class instead.
    """
    rng = np.random.default_rng(seed)
    likely, sure = rng.choice(4, size=n, p=SHARES), rng.uniform(least_sure, 1, n)
    clean = np.repeat((1 - sure)[:, None] / 3, 4, axis=1)
    clean[np.arange(n), likely] = sure
    true = (clean.cumsum(axis=1) > rng.random(n)[:, None]).argmax(axis=1)
    observed = (T[true].cumsum(axis=1) > rng.random(n)[:, None]).argmax(axis=1)
    return observed, np.eye(4)[true] if confident else clean @ T


@pytest.mark.parametrize(("estimate", "tolerance"), [(anchor.estimate, 0.03), (confident_joint.estimate, 0.06)])
def test_an_estimate_from_the_true_posterior_is_near_t_and_not_its_transpose(estimate, tolerance):
    found = estimate(*simulate())
    assert transition.row_errors(found, T).max() < tolerance
    assert transition.row_errors(found, T.T).max() > 0.2


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_rows_sum_to_one_and_diagonal_is_the_truth_without_noise(estimate):
    true = np.random.default_rng(0).choice(4, size=2000, p=SHARES)
    sure = 0.96 * np.eye(4)[true] + 0.01
    found = estimate(true, sure)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-12)
    assert np.abs(found - np.eye(4)).max() <= 0.0300001


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_any_input_gives_a_transition_matrix(seed, n_classes):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(n_classes, 0.3), size=80)
    observed = rng.integers(0, n_classes, 80)
    for name in EVERY:
        found = registry.load("estimators", name).estimate(observed, probabilities)
        transition.check_transition(found, name, n_classes)


def test_anchor_is_the_row_at_the_percentile():
    p = np.linspace(0, 1, 101)[::-1]
    probabilities = np.stack([p, 1 - p], axis=1)
    observed = np.arange(101) % 2
    assert np.allclose(anchor.estimate(observed, probabilities, percentile=0.97), [[0.97, 0.03], [0.03, 0.97]])
    assert np.allclose(anchor.estimate(observed, probabilities, percentile=1.0), np.eye(2))


def test_anchor_of_a_rare_class_is_its_most_confident_example():
    """With 50 classes none has 3 % of the examples, so the 97th percentile lies outside the class."""
    true = np.arange(5000) % 50
    sure = 0.9 * np.eye(50)[true] + 0.1 / 50
    assert np.allclose(np.diag(anchor.estimate(true, sure)), 0.902)


@pytest.mark.parametrize("percentile", [0.0, 97, -1, float("nan")])
def test_a_percentile_that_is_no_fraction_is_refused(percentile):
    with pytest.raises(UserError, match="is a fraction, above 0 and at most 1"):
        anchor.estimate(*simulate(n=10), percentile=percentile)


def test_confident_joint_counts_against_class_thresholds():
    """By hand: thresholds are the mean p_j of the examples labelled j; counts are scaled to the label counts."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.95, 0.05], [0.05, 0.95]])
    observed = np.array([0, 0, 1, 1, 1, 0])
    # thresholds: class 0 mean(.9, .8, .05) = .583, class 1 mean(.9, .8, .05) = .583
    # labelled 0: two confident of 0, one of 1; labelled 1: two confident of 1, one of 0.
    assert np.allclose(confident_joint.estimate(observed, probabilities), [[2 / 3, 1 / 3], [1 / 3, 2 / 3]])


def test_dual_t_is_the_product_of_anchor_rows_and_counted_rows():
    observed, probabilities = simulate(n=3000)
    predicted = probabilities.argmax(axis=1)
    counted = np.array([[np.mean(observed[predicted == i] == j) for j in range(4)] for i in range(4)])
    expected = anchor.estimate(observed, probabilities) @ counted
    assert np.allclose(dual_t.estimate(observed, probabilities), expected, atol=1e-12)


def test_dual_t_finds_t_with_a_confident_network_and_t_twice_with_a_calibrated_one():
    confident = dual_t.estimate(*simulate(least_sure=1.0, confident=True))
    assert transition.row_errors(confident, T).max() < 0.02
    calibrated = dual_t.estimate(*simulate(least_sure=1.0))
    assert transition.row_errors(calibrated, T @ T).max() < 0.02


def test_a_class_that_is_never_predicted_or_observed_keeps_its_label():
    observed, probabilities = np.array([0, 1, 0, 1]), np.array([[0.9, 0.1, 0], [0.1, 0.9, 0]] * 2)
    for estimate in (confident_joint.estimate, dual_t.estimate):
        found = estimate(observed, probabilities)
        assert np.allclose(found.sum(axis=1), 1)
    assert confident_joint.estimate(observed, probabilities)[2].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("observed", "probabilities", "message"),
    [
        ([0, 1], [[1.0, 0.0]], r"\(2,\) labels with \(1, 2\)"),
        ([], np.zeros((0, 2)), r"\(0,\) labels"),
        ([2], [[1.0, 0.0]], r"outside 0\.\.1"),
        ([-1], [[1.0, 0.0]], r"outside 0\.\.1"),
        ([0], [[2.0, -1.0]], "0 or more"),
        ([0], [[np.nan, 1.0]], "finite"),
        ([0], [[0.5, 0.4]], "sum to 1"),
    ],
)
@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_labels_and_probabilities_that_do_not_fit_are_refused(estimate, observed, probabilities, message):
    with pytest.raises(UserError, match=message):
        estimate(np.array(observed, dtype=np.int64), np.array(probabilities))


def test_gold_finds_t_where_the_true_class_is_known_of_some():
    """Hendrycks et al. 2018, eq. 2: the mean prediction over the examples of a class; exact for a perfect posterior."""
    rng = np.random.default_rng(4)
    true = rng.choice(4, 4000, p=SHARES)
    observed = (T[true].cumsum(axis=1) > rng.random(4000)[:, None]).argmax(axis=1)
    known = np.where(rng.random(4000) < 0.05, true, -1)
    assert gold.estimate(observed, T[true], known) == pytest.approx(T)


def test_gold_weighs_examples_by_what_they_stand_for():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    found = gold.estimate(np.array([0, 1, 1]), probabilities, np.array([0, 0, 1]), np.array([3.0, 1.0, 1.0]))
    assert found == pytest.approx(np.array([[0.75, 0.25], [0.5, 0.5]]))


def test_a_class_without_gold_borrows_what_is_labelled_as_it():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    found = gold.estimate(np.array([0, 1, 1]), probabilities, np.array([0, -1, -1]))
    assert found == pytest.approx(np.array([[0.9, 0.1], [0.3, 0.7]]))
