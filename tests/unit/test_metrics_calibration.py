"""Calibration through T, and the calibration error that a flawless network shows: against known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import binom

from smearlab.core.predictions import Part, Predictions
from smearlab.core.transition import flips, symmetric
from smearlab.metrics import ece, ece_floor, temperature, temperature_estimated, temperature_through
from smearlab.metrics.ece_floor import calibration_floor, mean_absolute_deviation
from smearlab.metrics.temperature_through import fit_temperature_through

L = 10


def drawn(rng, p):
    """Draw a class from each row of probabilities (N, L)."""
    return np.minimum((p.cumsum(axis=1) < rng.random(len(p))[:, None]).sum(axis=1), p.shape[1] - 1)


def sharpened(transition, n=40_000, times=2.0, spread=4.2, seed=0):
    """A part whose labels are drawn from softmax(z), their noise from T, and whose network says softmax(times z)."""
    rng = np.random.default_rng(seed)
    z = spread * rng.normal(size=(n, len(transition)))
    labels = drawn(rng, softmax(z, axis=1))
    return Part((times * z).astype(np.float32), labels, drawn(rng, transition[labels]))


@pytest.fixture(scope="module")
def twice_too_sharp():
    """40 % symmetric noise."""
    return sharpened(symmetric(L, 0.4))


def test_a_network_twice_too_sharp_is_mended_through_the_matrix_and_ruined_without(twice_too_sharp):
    part = twice_too_sharp
    p = Predictions(L, part, part, part, transition=symmetric(L, 0.4))
    plain, through = temperature.measure(p), temperature_through.measure(p)
    assert ece.measure(p)["test_ece"] == pytest.approx(0.126, abs=0.01)
    assert plain["fitted_temperature"] == pytest.approx(8.4, rel=0.05)
    assert plain["test_ece_scaled"] == pytest.approx(0.426, abs=0.02)
    assert through["fitted_temperature_true_t"] == pytest.approx(2.0, rel=0.1)
    assert through["test_ece_scaled_true_t"] < 0.02
    assert through["test_nll_scaled_true_t"] < plain["test_nll_scaled"]


@pytest.mark.parametrize("matrix", [symmetric(L, 0.4), flips(L, 0.4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]), np.eye(L)])
def test_an_estimated_matrix_mends_most_of_it(matrix):
    """The network's own errors count as noise, so the fit stays short of 2, and far from what fits the noise."""
    validation, test = sharpened(matrix, n=2000), sharpened(matrix, n=4000, seed=1)
    p = Predictions(L, validation, validation, test)
    found, unscaled = temperature_estimated.measure(p), ece.measure(p)["test_ece"]
    assert 1.4 < found["fitted_temperature_estimated_t"] < 2.0
    assert found["test_ece_scaled_estimated_t"] < 0.5 * unscaled
    assert found["test_ece_scaled_estimated_t"] < 0.2 * temperature.measure(p)["test_ece_scaled"] + 0.06


def test_the_estimate_counts_confident_predictions_by_hand():
    """Confidences .9, .8, .7 of class 0 (mean .8), .6 of class 1: three examples count, and one of each class more."""
    shares = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]])
    part = Part(np.log(shares), np.zeros(5, int), np.array([0, 1, 1, 1, -1]))
    found = temperature_estimated.estimated_transition(part)
    assert found == pytest.approx(np.array([[1.5, 1.5], [0.5, 1.5]]) / [[3], [2]])


def test_without_noisy_validation_labels_nothing_is_estimated(twice_too_sharp):
    part = twice_too_sharp
    unlabelled = Part(part.logits[:5], part.labels[:5], np.full(5, -1))
    assert set(temperature_estimated.measure(Predictions(L, part, unlabelled, part)).values()) == {None}


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.6])
def test_the_fit_through_the_matrix_does_not_depend_on_the_noise(rate):
    transition = symmetric(L, rate)
    assert fit_temperature_through(transition, sharpened(transition)) == pytest.approx(2.0, rel=0.1)


def test_the_fit_takes_any_matrix_and_zeros_in_it():
    transition = flips(L, 0.45, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0])
    assert fit_temperature_through(transition, sharpened(transition, times=0.5)) == pytest.approx(0.5, rel=0.1)


def test_through_the_identity_it_is_the_plain_fit(twice_too_sharp):
    few = Part(*(values[:500] for values in (twice_too_sharp.logits, twice_too_sharp.labels, twice_too_sharp.observed)))
    assert fit_temperature_through(np.eye(L), few) == pytest.approx(temperature.fit_temperature(few), rel=1e-4)


def test_the_best_of_several_minima_is_found(twice_too_sharp):
    """Against every temperature of a fine grid, with labels that fit no network."""
    rng = np.random.default_rng(4)
    for seed in range(5):
        n, transition = 8, rng.dirichlet(np.ones(3) / 3, size=3) + 1e-9
        transition /= transition.sum(axis=1, keepdims=True)
        logits = 10 * np.random.default_rng(seed).normal(size=(n, 3))
        part = Part(logits.astype(np.float32), rng.integers(0, 3, n), rng.integers(0, 3, n))
        temperatures = np.exp(np.linspace(-5, 5, 5001))

        def loss(t, n=n, part=part, transition=transition):
            noisy = softmax(part.logits.astype(np.float64) / t, axis=1) @ transition
            return -np.log(noisy[np.arange(n), part.observed]).mean()

        assert loss(fit_temperature_through(transition, part)) <= min(map(loss, temperatures)) + 1e-6


def test_labels_that_the_matrix_calls_impossible_say_nothing():
    transition = flips(3, 1.0, [0, 0, 2])  # class 1 is never observed
    logits = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    observed = np.arange(60) % 3
    possible = observed != 1
    every, some = Part(logits, observed, observed), Part(logits[possible], observed[possible], observed[possible])
    assert fit_temperature_through(transition, every) == fit_temperature_through(transition, some)
    assert fit_temperature_through(transition, Part(logits, observed, np.full(60, 1))) is None


@pytest.mark.parametrize("lacks", ["matrix", "labels"])
def test_without_matrix_or_labels_there_is_no_fit_through(twice_too_sharp, lacks):
    part = twice_too_sharp
    unlabelled = Part(part.logits, part.labels, np.full(len(part.labels), -1))
    validation, matrix = (unlabelled, np.eye(L)) if lacks == "labels" else (part, None)
    measured = temperature_through.measure(Predictions(L, part, validation, part, transition=matrix))
    assert set(measured.values()) == {None}


# The floor.


@given(st.integers(1, 80), st.floats(0.001, 1))
def test_the_mean_absolute_deviation_is_that_of_the_distribution(n, p):
    k = np.arange(n + 1)
    expected = (binom.pmf(k, n, p) * np.abs(k - n * p)).sum()
    assert mean_absolute_deviation(n, p) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_floor_is_the_mean_error_of_calibrated_networks():
    """449 test images, as digits has; hits drawn with exactly the confidence that was stated."""
    rng = np.random.default_rng(3)
    confidences = rng.uniform(0.2, 1.0, 449)
    errors = [ece.calibration_error(ece.reliability(confidences, rng.random(449) < confidences)) for _ in range(3000)]
    floor = calibration_floor(ece.reliability(confidences, np.ones(449, bool)))
    assert floor == pytest.approx(np.mean(errors), rel=0.02)
    assert floor == pytest.approx(0.052, abs=0.01)


def test_the_floor_is_exact_where_a_bin_has_one_confidence():
    curve = ece.reliability(np.array([0.95] + [0.5] * 4), np.ones(5, bool))
    assert calibration_floor(curve) == pytest.approx((2 * 0.95 * 0.05 + 4 * 0.5 * 0.375 * 2 / 2) / 5)


def test_the_floor_falls_as_the_root_of_the_test_set():
    bins = [{"confidence": c, "count": 1} for c in (0.3, 0.5, 0.8)]
    floors = [calibration_floor([{**b, "count": n} for b in bins]) for n in (1000, 4000)]
    assert floors[0] / floors[1] == pytest.approx(2, rel=0.01)


def test_a_calibrated_network_is_at_its_floor_and_a_sharp_one_above():
    part = sharpened(np.eye(L), n=2000, times=1.0)
    sharp = Part(3 * part.logits, part.labels, part.observed)
    for measured, low, high in [(part, 0.4, 1.8), (sharp, 3, np.inf)]:
        p = Predictions(L, measured, measured, measured)
        assert low < ece.measure(p)["test_ece"] / ece_floor.measure(p)["test_ece_floor"] < high


def test_a_network_that_is_always_sure_has_no_floor_and_no_labels_have_none():
    assert calibration_floor(ece.reliability(np.ones(9), np.ones(9, bool))) == 0
    assert calibration_floor([]) is None
