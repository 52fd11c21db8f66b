"""The paper's claims: that they hold as computed, against derivations of another kind, and that a false one fails."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LogisticRegression

from smearlab.claims import (
    backward_is_negative_smoothing,
    expected_noise,
    linear_separator,
    linear_shrinkage,
    margin_losses,
    omega_minimum,
)
from smearlab.claims._claim import losses
from smearlab.core import registry
from smearlab.stages.check_claims import check_all


@pytest.fixture(scope="module")
def claims():
    return {claim["name"]: claim for claim in check_all()}


def test_every_claim_holds_and_says_by_how_much(claims):
    assert set(claims) == set(registry.names("claims"))
    for name, claim in claims.items():
        assert claim["holds"] is True, name
        assert 0 <= claim["measured"] <= claim["tolerance"], name
        assert claim["claim"] and claim["source"] and claim["detail"]


def test_the_claims_are_plain_json_and_the_same_every_time(claims):
    text = json.dumps(list(claims.values()), allow_nan=False)
    assert json.dumps(check_all(), allow_nan=False) == text


def test_claims_come_in_their_own_order(claims):
    orders = [registry.describe("claims", name).constants["ORDER"] for name in claims]
    assert orders == sorted(set(orders))


@given(st.floats(-30, 30), st.floats(0.01, 0.9))
def test_two_class_losses_in_elementary_functions(z, alpha):
    found = {name: float(value) for name, value in margin_losses.closed_forms(np.array(z), alpha).items()}
    plain, other = np.log1p(np.exp(-z)), np.log1p(np.exp(z))
    assert found["plain"] == pytest.approx(plain, abs=1e-12)
    assert found["smoothing"] == pytest.approx(plain + alpha / 2 * z, abs=1e-9)
    assert found["backward"] == pytest.approx(plain - alpha / 2 / (1 - alpha) * z, abs=1e-9)
    assert found["forward"] == pytest.approx(-np.log((1 - alpha) / (1 + np.exp(-z)) + alpha / 2), abs=1e-9)
    assert other - plain == pytest.approx(z, abs=1e-9)


def test_the_figure_has_the_shapes_the_paper_describes(claims):
    curves = {}
    for row in claims["margin_losses"]["curves"]["losses"]:
        curves.setdefault(row["loss"], []).append(row["value"])
    assert set(curves) == {"plain", "smoothing", "backward", "forward"}
    lowest = int(np.argmin(curves["smoothing"]))
    assert 0 < lowest < len(curves["smoothing"]) - 1 and curves["smoothing"][lowest] > 0
    assert curves["backward"][-1] < 0
    assert all(np.diff(curves[name]).max() < 0 for name in ("plain", "backward", "forward"))
    assert curves["forward"][0] < -np.log(margin_losses.ALPHA / 2) < curves["plain"][0]


@pytest.mark.parametrize("n", [2, 3, 7])
def test_expectation_over_noise_is_the_sum_over_rows_of_t(n):
    by_label, rate = np.random.default_rng(n).normal(size=n), 0.3
    transition = np.full((n, n), rate / (n - 1))
    np.fill_diagonal(transition, 1 - rate)
    assert expected_noise.expected_over_noise(by_label, rate) == pytest.approx(transition @ by_label)


def test_smoothing_by_another_amount_than_the_noise_is_found_out():
    logits = np.array([2.0, -1.0, 0.5])
    noisy = expected_noise.expected_over_noise(losses(logits), 0.2)  # matches alpha 0.3, not 0.2
    wrong = 0.8 * losses(logits) + 0.2 * losses(logits).mean()
    assert np.abs(noisy - wrong).max() > 0.01
    assert expected_noise.smoothing_error(logits, 0.3) < 1e-15


@pytest.mark.parametrize("n", [2, 5, 40])
def test_backward_loss_is_the_inverse_matrix_times_the_losses(n):
    by_label, alpha = np.random.default_rng(n).normal(size=n), 0.4
    inverse = np.linalg.inv((1 - alpha) * np.eye(n) + alpha / n)
    assert expected_noise.backward_loss(by_label, alpha) == pytest.approx(inverse @ by_label, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_negative_smoothing_matrix_inverts_the_smoothing_matrix(alpha):
    n, negative = 6, -alpha / (1 - alpha)
    matrices = [(1 - a) * np.eye(n) + a / n for a in (alpha, negative)]
    assert matrices[0] @ matrices[1] == pytest.approx(np.eye(n), abs=1e-14)
    assert backward_is_negative_smoothing.mismatch(np.arange(n) * 1.0, alpha) < 1e-14


def test_linear_weights_leave_residuals_that_the_inputs_cannot_explain():
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(50, 4)) + 1, rng.integers(linear_shrinkage.L, size=50)
    weights = linear_shrinkage.fitted(inputs, labels, 0.3)
    targets = 0.7 * np.eye(linear_shrinkage.L)[labels] + 0.3 / linear_shrinkage.L
    assert inputs.T @ (targets - inputs @ weights) == pytest.approx(np.zeros((4, linear_shrinkage.L)), abs=1e-10)


def test_pure_shrinkage_needs_centred_inputs():
    rng = np.random.default_rng(1)
    inputs, labels = rng.normal(size=(50, 4)) + 1, rng.integers(linear_shrinkage.L, size=50)
    assert linear_shrinkage.shrinkage_error(inputs, labels, 0.5) > 0.01
    assert linear_shrinkage.shrinkage_error(inputs - inputs.mean(0), labels, 0.5) < 1e-10


@given(st.integers(2, 50), st.integers(0, 1000), st.floats(0.1, 30))
def test_omega_is_never_below_its_value_at_equal_logits(n, seed, scale):
    logits = scale * np.random.default_rng(seed).normal(size=(5, n))
    assert omega_minimum.omega(logits) > n * np.log(n)
    assert omega_minimum.omega(np.repeat(logits[:, :1], n, axis=1)) == pytest.approx(n * np.log(n))


def test_gradient_of_omega_against_finite_differences():
    rng = np.random.default_rng(2)
    inputs, start = rng.normal(size=(8, 3)), rng.normal(size=(3, 4))

    def value(w):
        return omega_minimum.omega(inputs @ w.reshape(3, 4))

    def gradient(w):
        return omega_minimum.omega_gradient(inputs, w.reshape(3, 4)).ravel()

    assert check_grad(value, gradient, start.ravel()) < 1e-5
    assert gradient(start.ravel()).reshape(3, 4).sum(axis=1) == pytest.approx(np.zeros(3), abs=1e-12)


def test_separator_agrees_with_scikit_learn_on_hard_labels():
    inputs, _, observed = linear_separator.sample(3)
    l2 = 0.05
    reference = LogisticRegression(C=1 / (l2 * len(observed)), tol=1e-10, max_iter=1000).fit(inputs, observed)
    found = linear_separator.separator(inputs, observed, l2, penalise_offset=False)
    assert found == pytest.approx([*reference.coef_[0], reference.intercept_[0]], rel=1e-4)


def test_offset_and_angle_of_known_lines():
    bayes = np.array([2.0, 2.0, 0.0])
    assert linear_separator.offset(bayes) == 0 and linear_separator.angle(bayes) == pytest.approx(0, abs=1e-5)
    right_of_the_middle = np.array([3.0, 0.0, -6.0])  # the line x = 2
    assert linear_separator.offset(right_of_the_middle) == 2.0
    assert linear_separator.angle(right_of_the_middle) == pytest.approx(45.0)


def test_one_sided_noise_touches_one_class_at_its_rate():
    drawn = [linear_separator.sample(seed)[1:] for seed in range(20)]
    labels, observed = (np.concatenate(values) for values in zip(*drawn, strict=True))
    assert (observed[labels == 0] == 0).all()
    flipped = (observed[labels == 1] == 0).mean()
    rate = linear_separator.RATE
    assert abs(flipped - rate) < 4 * np.sqrt(rate * (1 - rate) / (labels == 1).sum())


def test_the_separator_moves_back_without_reaching_the_bayes_line(claims):
    rows = claims["linear_separator"]["curves"]["separators"]
    offsets = {name: [r["offset_mean"] for r in rows if r["treatment"] == name] for name in linear_separator.STRENGTHS}
    for name in linear_separator.CLAIMED:
        assert np.diff(offsets[name]).max() < 0 < offsets[name][-1]
    assert offsets["l2_free_offset"][-1] > offsets["l2_free_offset"][0]


def test_a_claim_that_fails_says_so(monkeypatch):
    monkeypatch.setattr(omega_minimum, "minimised", lambda inputs, start: start)
    assert not omega_minimum.check().holds
    monkeypatch.setattr(expected_noise, "backward_loss", lambda by_label, alpha: by_label)
    assert not expected_noise.check().holds
    monkeypatch.setattr(linear_separator, "offset", lambda weights: 1.0)
    failed = linear_separator.check()
    assert failed.measured > 0 and not failed.holds
