"""The label-smoothing family: closed forms, exact collapse, unbiasedness, precision and stability."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from smearlab.core.transition import flips, from_alpha, symmetric
from smearlab.methods import backward, cross_entropy, forward, label_smoothing

L = 5


def logits_labels(n=9, n_classes=L, seed=0, scale=2.0):
    rng = np.random.default_rng(seed)
    logits = torch.tensor(rng.normal(size=(n, n_classes)) * scale, requires_grad=True)
    return logits, torch.tensor(rng.integers(0, n_classes, n))


def random_transition(n_classes=L, seed=0):
    rows = np.random.default_rng(seed).dirichlet(np.ones(n_classes), size=n_classes)
    return torch.tensor(0.6 * np.eye(n_classes) + 0.4 * rows)


def plain_log_p(logits):
    """Log-softmax by NumPy alone."""
    z = logits.detach().numpy()
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def loss_and_gradient(function, logits, labels, **options):
    logits = logits.detach().clone().requires_grad_()
    losses = function(logits, labels, **options)
    losses.sum().backward()
    return losses.detach(), logits.grad


FAMILY = [
    (cross_entropy.loss, {}),
    (label_smoothing.loss, {"alpha": 0.3}),
    (label_smoothing.loss, {"alpha": -0.8}),
    (forward.loss, {"transition": random_transition()}),
    (backward.loss, {"transition": backward.prepare(random_transition()), "clip": None}),
    (backward.loss, {"transition": backward.prepare(random_transition()), "clip": 1e-7}),
]


def test_cross_entropy_is_torchs():
    logits, labels = logits_labels()
    theirs = nn.functional.cross_entropy(logits, labels, reduction="none")
    assert torch.equal(cross_entropy.loss(logits, labels), theirs)


@given(st.floats(0, 1, exclude_max=True))
def test_smoothing_is_torchs_and_the_smoothed_target(alpha):
    logits, labels = logits_labels()
    ours = label_smoothing.loss(logits, labels, alpha=alpha)
    theirs = nn.functional.cross_entropy(logits, labels, reduction="none", label_smoothing=alpha)
    assert torch.allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    target = (1 - alpha) * np.eye(L)[labels] + alpha / L
    assert np.allclose(ours.detach(), -(target * plain_log_p(logits)).sum(axis=1), rtol=1e-12, atol=1e-12)


@given(st.floats(-8, 0.99))
def test_gradient_of_smoothing_is_probabilities_minus_target(alpha):
    logits, labels = logits_labels()
    _, gradient = loss_and_gradient(label_smoothing.loss, logits, labels, alpha=alpha)
    target = (1 - alpha) * np.eye(L)[labels] + alpha / L
    assert np.allclose(gradient, np.exp(plain_log_p(logits)) - target, rtol=1e-10, atol=1e-10)


def test_forward_is_the_log_of_the_noisy_posterior():
    logits, labels = logits_labels()
    matrix = random_transition()
    noisy = np.exp(plain_log_p(logits)) @ matrix.numpy()
    expected = -np.log(noisy[np.arange(len(labels)), labels])
    found, gradient = loss_and_gradient(forward.loss, logits, labels, transition=matrix)
    assert np.allclose(found, expected, rtol=1e-12)
    p = np.exp(plain_log_p(logits))
    posterior = p * matrix.numpy().T[labels] / noisy[np.arange(len(labels)), labels][:, None]
    assert np.allclose(gradient, p - posterior, rtol=1e-10, atol=1e-12)


def test_backward_is_the_inverse_times_the_losses():
    logits, labels = logits_labels()
    matrix = random_transition()
    rows = np.linalg.inv(matrix.numpy())[labels]
    found, gradient = loss_and_gradient(backward.loss, logits, labels, transition=backward.prepare(matrix), clip=None)
    assert np.allclose(found, (rows * -plain_log_p(logits)).sum(axis=1), rtol=1e-10)
    # Rows of the inverse sum to 1, so the gradient is that of a soft target.
    assert np.allclose(gradient, np.exp(plain_log_p(logits)) - rows, rtol=1e-10, atol=1e-10)


@settings(max_examples=20)
@given(st.integers(2, 8), st.integers(0, 1000))
def test_backward_is_unbiased_by_enumeration(n_classes, seed):
    matrix = random_transition(n_classes, seed)
    logits = logits_labels(1, n_classes, seed)[0].expand(n_classes, n_classes)
    every = torch.arange(n_classes)
    over_observed = backward.loss(logits, every, transition=backward.prepare(matrix), clip=None)
    assert torch.allclose(matrix @ over_observed, cross_entropy.loss(logits, every), rtol=1e-9, atol=1e-9)


@given(st.floats(1e-9, 0.49), st.floats(0.1, 30))
def test_the_clip_holds_every_probability_between_its_bounds(clip, scale):
    logits, labels = logits_labels(scale=scale)
    inverse = backward.prepare(random_transition())
    p = np.clip(np.exp(plain_log_p(logits)), clip, 1 - clip)
    expected = (inverse.numpy()[labels] * -np.log(p)).sum(axis=1)
    found = backward.loss(logits, labels, transition=inverse, clip=clip)
    assert np.allclose(found.detach(), expected, rtol=1e-9, atol=1e-9)


def test_the_clip_bounds_the_loss_that_the_bare_formula_leaves_unbounded():
    """A network that is sure of the true class earns without end from each wrong label, but not past the clip."""
    inverse = backward.prepare(torch.tensor(symmetric(L, 0.4)))
    bound = -(inverse.clamp(max=0).sum(dim=1).min() * np.log(1e-7)).item()
    for sure in (20.0, 1e3, 1e6):  # all beyond the clip
        logits = torch.tensor([[sure, *[0.0] * (L - 1)]])
        bare, clipped = (
            backward.loss(logits, torch.tensor([0]), transition=inverse, clip=c).item() for c in (None, 1e-7)
        )
        assert bare == pytest.approx(inverse[0, 1:].sum().item() * sure, rel=1e-5)
        assert clipped == pytest.approx(bound, rel=1e-5)
    assert bare < 100 * bound < 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_probability_beyond_the_clip_has_no_gradient(dtype):
    logits = torch.tensor([[40.0, 0.0, -1.0], [1.0, 0.5, 0.0]], dtype=dtype)
    inverse = backward.prepare(torch.tensor(symmetric(3, 0.3)))
    _, gradient = loss_and_gradient(backward.loss, logits, torch.tensor([1, 1]), transition=inverse, clip=1e-7)
    _, bare = loss_and_gradient(backward.loss, logits, torch.tensor([1, 1]), transition=inverse, clip=None)
    assert (gradient[0] == 0).all() and bare[0].abs().max() > 0.1
    assert torch.equal(gradient[1], bare[1])


def test_the_upper_bound_keeps_its_digits_in_float32():
    """log(1 - 1e-9) is -1e-9, though 1 - 1e-9 is 1 in float32."""
    logits = torch.tensor([[100.0, 0.0]])
    loss = backward.loss(logits, torch.tensor([0]), transition=torch.eye(2, dtype=torch.float64), clip=1e-9)
    assert loss.item() == pytest.approx(1e-9, rel=1e-6)


@given(st.floats(0, 0.9))
def test_backward_at_alpha_is_negative_smoothing(alpha):
    """M = T^-1 of (1 - a) I + (a / L) J is smoothing at -a / (1 - a)."""
    logits, labels = logits_labels()
    inverse = backward.prepare(torch.tensor(from_alpha(L, alpha)))
    corrected = backward.loss(logits, labels, transition=inverse, clip=None)
    smoothed = label_smoothing.loss(logits, labels, alpha=-alpha / (1 - alpha))
    assert torch.allclose(corrected, smoothed, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_alpha_zero_and_identity_are_cross_entropy_to_the_last_bit(dtype, scale):
    logits, labels = logits_labels(64, 10, scale=scale)
    logits = logits.detach().to(dtype)
    identity = torch.tensor(symmetric(10, 0.0))
    plain = loss_and_gradient(cross_entropy.loss, logits, labels)
    for function, options in [
        (label_smoothing.loss, {"alpha": 0.0}),
        (forward.loss, {"transition": identity}),
        (backward.loss, {"transition": backward.prepare(identity), "clip": None}),
    ]:
        losses, gradient = loss_and_gradient(function, logits, labels, **options)
        assert torch.equal(losses, plain[0])
        assert torch.equal(gradient, plain[1])


@pytest.mark.parametrize(("function", "options"), FAMILY)
def test_gradients_agree_with_finite_differences(function, options):
    logits, labels = logits_labels()
    assert torch.autograd.gradcheck(lambda z: function(z, labels, **options), logits)


@pytest.mark.parametrize(("function", "options"), FAMILY)
def test_a_loss_does_not_depend_on_the_batch_it_is_in(function, options):
    logits, labels = logits_labels(16)
    whole = function(logits, labels, **options)
    alone = torch.cat([function(logits[i : i + 1], labels[i : i + 1], **options) for i in range(16)])
    assert whole.shape == (16,)
    assert torch.allclose(whole, alone, rtol=1e-14, atol=0)


@pytest.mark.parametrize(("function", "options"), FAMILY)
def test_narrow_types_are_computed_in_float32_and_float64_is_kept(function, options):
    logits, labels = logits_labels()
    for dtype in (torch.bfloat16, torch.float16):
        narrow = logits.detach().to(dtype)
        losses = function(narrow, labels, **options)
        assert losses.dtype == torch.float32
        assert torch.equal(losses, function(narrow.float(), labels, **options))
    assert function(logits, labels, **options).dtype == torch.float64


@pytest.mark.parametrize(("function", "options"), FAMILY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_give_finite_losses_and_gradients(function, options, dtype):
    logits = torch.full((L, L), -1e4, dtype=dtype)
    logits[:, 2] = 1e4
    losses, gradient = loss_and_gradient(function, logits, torch.arange(L), **options)
    assert losses.isfinite().all()
    assert gradient.isfinite().all()


def test_forward_takes_zero_entries_even_for_a_label_it_calls_impossible():
    matrix = torch.tensor(flips(L, 0.4, [1, 0, 2, 3, 3]))
    logits, labels = logits_labels(20)
    losses, gradient = loss_and_gradient(forward.loss, logits, labels, transition=matrix)
    noisy = np.exp(plain_log_p(logits)) @ matrix.numpy()
    assert np.allclose(losses, -np.log(noisy[np.arange(20), labels]), rtol=1e-12)
    assert gradient.isfinite().all()
    never = torch.tensor(flips(L, 1.0, [1, 1, 2, 3, 4]))
    _, gradient = loss_and_gradient(forward.loss, logits, torch.zeros(20, dtype=torch.int64), transition=never)
    assert gradient.isfinite().all()


def test_forward_stays_exact_where_the_product_would_underflow():
    """p_0 = exp(-2000) is 0 as a number, but not as a logarithm."""
    logits = torch.tensor([[-2000.0, 0.0]], dtype=torch.float64)
    matrix = torch.tensor(flips(2, 0.25, [1, 1]))
    loss = forward.loss(logits, torch.tensor([0]), transition=matrix)
    assert loss.item() == pytest.approx(2000.0 - np.log(0.75), rel=1e-12)


def test_prepared_inverse_is_solved_in_float64():
    matrix = from_alpha(100, 0.99)
    inverse = backward.prepare(torch.tensor(matrix, dtype=torch.float64))
    assert inverse.dtype == torch.float64
    assert np.abs(inverse.numpy() @ matrix - np.eye(100)).max() < 1e-12
