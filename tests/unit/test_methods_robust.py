"""Robust losses: each against its formula over all classes, its limits, and what makes it robust."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smearlab.methods import active_passive, agce, cross_entropy, gce, gjs

N, L = 13, 7
RNG = np.random.default_rng(2)
Z = 3 * RNG.normal(size=(N, L))
Y = RNG.integers(0, L, N)
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
P_Y = P[np.arange(N), Y]
LABELS = torch.tensor(Y)


def call(function, **options):
    return function(torch.tensor(Z), LABELS, **options).numpy()


def of_every_label(function, logits, **options):
    """Return the loss of one prediction under each label, (L,)."""
    rows = torch.as_tensor(logits, dtype=torch.float64).expand(len(logits), -1)
    return function(rows, torch.arange(len(logits)), **options).numpy()


def divergence(p, q):
    """The Kullback-Leibler divergence of rows, with 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0.0).sum(axis=1)


@given(st.floats(0.001, 0.999))
def test_jensen_shannon_is_the_mean_divergence_from_the_mixture(w):
    target = np.eye(L)[Y]
    mixture = w * target + (1 - w) * P
    expected = (w * divergence(target, mixture) + (1 - w) * divergence(P, mixture)) / -((1 - w) * np.log(1 - w))
    assert np.allclose(call(gjs.loss, label_weight=w), expected, rtol=1e-8, atol=1e-12)


def test_jensen_shannon_lies_between_cross_entropy_and_absolute_error():
    assert np.allclose(call(gjs.loss, label_weight=1e-7), call(cross_entropy.loss), rtol=1e-3)
    assert np.allclose(call(gjs.loss, label_weight=1 - 1e-12), 1 - P_Y, rtol=0.05)
    nearer = [np.abs(call(gjs.loss, label_weight=1 - 10.0**-k) - (1 - P_Y)).max() for k in (1, 3, 6, 12)]
    assert nearer == sorted(nearer, reverse=True)


def test_jensen_shannon_keeps_its_digits_in_float32():
    z = torch.tensor(Z)
    for w in (0.001, 0.5, 0.999):
        exact = gjs.loss(z, LABELS, label_weight=w)
        assert torch.allclose(gjs.loss(z.float(), LABELS, label_weight=w).double(), exact, rtol=2e-3, atol=1e-5)


def test_active_passive_is_the_sum_of_its_two_losses():
    all_losses = -np.log(P)
    active = all_losses[np.arange(N), Y] / all_losses.sum(axis=1)
    reverse = -(P * np.where(np.eye(L)[Y] == 1, 0.0, -4.0)).sum(axis=1)
    absolute = np.abs(P - np.eye(L)[Y]).sum(axis=1)
    assert np.allclose(call(active_passive.loss), active + reverse, rtol=1e-12)
    found = call(active_passive.loss, weight=10.0, passive_weight=0.1, passive="absolute_error")
    assert np.allclose(found, 10 * active + 0.1 * absolute, rtol=1e-12)


@given(st.integers(0, 500))
def test_the_normalised_losses_of_all_labels_sum_to_one(seed):
    logits = 5 * np.random.default_rng(seed).normal(size=L)
    assert of_every_label(active_passive.loss, logits, passive_weight=0.0).sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("passive", ["reverse_cross_entropy", "absolute_error"])
def test_active_passive_is_symmetric_so_uniform_noise_moves_no_minimum(passive):
    """The losses of all labels sum to the same, whatever is predicted (Ghosh et al. 2017)."""
    sums = [of_every_label(active_passive.loss, row, passive=passive).sum() for row in Z]
    assert np.allclose(sums, sums[0], rtol=1e-12)


@given(st.floats(0.001, 50), st.floats(0.01, 5))
def test_asymmetric_gce_is_its_formula(a, q):
    assert np.allclose(call(agce.loss, a=a, q=q), ((a + 1) ** q - (a + P_Y) ** q) / q, rtol=1e-7, atol=1e-12)


def test_asymmetric_gce_limits():
    assert np.allclose(call(agce.loss, a=1e-12, q=0.7), call(gce.loss, q=0.7), rtol=1e-6)
    assert np.allclose(call(agce.loss, a=1e-12, q=1e-9), call(cross_entropy.loss), rtol=1e-6)
    assert np.allclose(call(agce.loss, a=2.0, q=1.0), 1 - P_Y, rtol=1e-12)
    assert np.allclose(call(agce.loss, a=2.0, q=1e-9), np.log(3 / (2 + P_Y)), rtol=1e-6)


def test_asymmetric_gce_keeps_its_digits_at_a_small_q_in_float32():
    """(a + 1)^q - (a + p)^q is a difference of two numbers that are nearly 1."""
    found = agce.loss(torch.tensor(Z).float(), LABELS, a=0.6, q=1e-6)
    assert np.allclose(found, np.log(1.6 / (0.6 + P_Y)), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("q", "asymmetric"), [(1.5, True), (0.6, False)])
def test_asymmetric_gce_with_q_above_1_sides_with_the_majority_alone(q, asymmetric):
    """Labels 0 and 1 with odds 5.5 to 4.5: a loss that is asymmetric for them is least at p_0 = 1."""
    p = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
    logits = torch.stack([p.log(), (1 - p).log()], dim=1)
    of_0, of_1 = (agce.loss(logits, torch.full((len(p),), k), a=0.6, q=q) for k in (0, 1))
    best = p[(0.55 * of_0 + 0.45 * of_1).argmin()].item()
    assert (best == pytest.approx(0.999)) == asymmetric
