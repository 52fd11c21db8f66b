"""Methods beyond the family, each against its formula in plain NumPy, in float64."""

import copy
import inspect
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smearlab.core import registry
from smearlab.core.transition import symmetric
from smearlab.methods import (
    active_passive,
    agce,
    backward,
    backward_clipped,
    bootstrap,
    confidence_penalty,
    cross_entropy,
    elr,
    forward,
    forward_smoothing,
    gce,
    gjs,
    label_smoothing,
    online_label_smoothing,
    smoothing_matrix,
    symmetric_ce,
    weight_decay,
)

N, L = 11, 6
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, L)) * 2
Y = RNG.integers(0, L, N)
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
P_Y = P[np.arange(N), Y]
T = 0.7 * np.eye(L) + 0.3 * RNG.dirichlet(np.ones(L), size=L)
LABELS = torch.tensor(Y)


def call(function, **options):
    return function(torch.tensor(Z), LABELS, **options).numpy()


def call_elr(logits, labels, **options):
    """ELR from its second step on: the state already holds a prediction for every example."""
    state = elr.state(len(labels), logits.shape[1], "cpu")
    state["target"] += 0.5 / logits.shape[1]
    return elr.loss(logits, labels, torch.arange(len(labels)), state, **options)


def context(loss, **known):
    """Return what a loss asks for beside its options: its state, the epoch, places in the training part, a file."""
    everything = {"index": torch.arange(N), "epoch": torch.zeros((), dtype=torch.int64), **known}
    return {name: value for name, value in everything.items() if name in inspect.signature(loss).parameters}


def call_online(logits, labels, **options):
    """Online label smoothing in its second epoch: its soft labels are no longer uniform."""
    state = online_label_smoothing.state(len(labels), logits.shape[1], "cpu")
    state["sums"] += torch.arange(1.0, logits.shape[1] + 1)
    return online_label_smoothing.loss(logits, labels, torch.tensor(1), state, **options)


S = json.dumps(RNG.dirichlet(np.ones(L), size=L).tolist())
INVERSE = backward.prepare(torch.tensor(T))
METHODS = [
    (backward_clipped.loss, {"transition": INVERSE}),
    (forward_smoothing.loss, {"alpha": 0.2, "transition": torch.tensor(T)}),
    (confidence_penalty.loss, {"weight": 0.4}),
    (gce.loss, {"q": 0.7}),
    (symmetric_ce.loss, {}),
    (bootstrap.loss, {"beta": 0.8}),
    (gjs.loss, {"label_weight": 0.5}),
    (gjs.loss, {"label_weight": 0.001}),
    (active_passive.loss, {}),
    (active_passive.loss, {"passive": "absolute_error", "weight": 10.0, "passive_weight": 0.1}),
    (agce.loss, {}),
    (agce.loss, {"a": 0.001, "q": 0.01}),
    (agce.loss, {"a": 1000.0, "q": 10.0}),
    (call_online, {"alpha": 0.5}),
    (smoothing_matrix.loss, {"alpha": 0.3, "matrix": S}),
    (call_elr, {"weight": 3.0, "beta": 0.7}),
    (call_elr, {"weight": 3.0, "beta": 0.7, "clip": 1e-4}),
]


def test_every_method_is_registered_with_a_description_and_a_label():
    for name in registry.names("methods"):
        entry = registry.describe("methods", name)
        assert entry.summary
        assert entry.constants["LABEL"]
        module = registry.load("methods", name)
        assert hasattr(module, "loss") or hasattr(module, "settings")


def test_non_negative_backward_is_backward_where_that_is_positive_and_zero_elsewhere():
    plain = call(backward.loss, transition=INVERSE, clip=None)
    assert (plain < 0).any(), "the case must exercise the clip"
    assert np.array_equal(call(backward_clipped.loss, transition=INVERSE), np.maximum(plain, 0))


def test_a_clipped_example_has_no_gradient():
    logits = torch.tensor(Z, requires_grad=True)
    losses = backward_clipped.loss(logits, LABELS, transition=INVERSE)
    losses.sum().backward()
    clipped = (losses == 0).numpy()
    assert (logits.grad.numpy()[clipped] == 0).all()
    assert (np.abs(logits.grad.numpy()[~clipped]).sum(axis=1) > 0).all()


@given(st.floats(-1, 0.95))
def test_forward_smoothing_smooths_the_noisy_posterior(alpha):
    target = (1 - alpha) * np.eye(L)[Y] + alpha / L
    expected = -(target * np.log(P @ T)).sum(axis=1)
    found = call(forward_smoothing.loss, alpha=alpha, transition=torch.tensor(T))
    assert np.allclose(found, expected, rtol=1e-10, atol=1e-12)


def test_forward_smoothing_contains_forward_and_smoothing():
    matrix, identity = torch.tensor(T), torch.eye(L, dtype=torch.float64)
    both = call(forward_smoothing.loss, alpha=0.0, transition=matrix)
    assert np.allclose(both, call(forward.loss, transition=matrix), rtol=1e-14)
    plain = call(forward_smoothing.loss, alpha=0.3, transition=identity)
    assert np.allclose(plain, call(label_smoothing.loss, alpha=0.3), rtol=1e-14)


@given(st.floats(0, 5))
def test_confidence_penalty_takes_off_the_entropy(weight):
    entropy = -(P * np.log(P)).sum(axis=1)
    expected = -np.log(P_Y) - weight * entropy
    assert np.allclose(call(confidence_penalty.loss, weight=weight), expected, rtol=1e-10, atol=1e-12)


@given(st.floats(1e-6, 1))
def test_gce_is_its_formula_between_cross_entropy_and_absolute_error(q):
    assert np.allclose(call(gce.loss, q=q), (1 - P_Y**q) / q, rtol=1e-8)


def test_gce_limits():
    assert np.allclose(call(gce.loss, q=1e-9), -np.log(P_Y), rtol=1e-7)
    assert np.allclose(call(gce.loss, q=1.0), 1 - P_Y, rtol=1e-12)


@given(st.floats(0, 10), st.floats(0, 10), st.floats(-10, -0.1))
def test_symmetric_ce_adds_the_reverse_cross_entropy(weight, reverse_weight, log_zero):
    log_target = np.where(np.eye(L)[Y] == 1, 0.0, log_zero)
    expected = weight * -np.log(P_Y) + reverse_weight * -(P * log_target).sum(axis=1)
    found = call(symmetric_ce.loss, weight=weight, reverse_weight=reverse_weight, log_zero=log_zero)
    assert np.allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(st.floats(0, 1))
def test_bootstrap_mixes_the_prediction_into_the_target(beta):
    target = beta * np.eye(L)[Y] + (1 - beta) * P
    assert np.allclose(call(bootstrap.loss, beta=beta), -(target * np.log(P)).sum(axis=1), rtol=1e-10)


def test_methods_are_cross_entropy_exactly_where_they_say_so():
    plain = call(cross_entropy.loss)
    for name in registry.names("methods"):
        module, at = registry.load("methods", name), registry.describe("methods", name).constants.get("PLAIN_AT")
        if at is None:
            continue
        options = dict(at)
        if options.get("transition") == "identity":
            identity = torch.tensor(symmetric(L, 0.0))
            options["transition"] = module.prepare(identity) if hasattr(module, "prepare") else identity
        given = context(module.loss, state=module.state(N, L, "cpu") if hasattr(module, "state") else {}, matrix=S)
        assert np.array_equal(call(module.loss, **given | options), plain), name


def test_elr_follows_its_moving_average_over_three_visits():
    state = elr.state(20, L, "cpu")
    state["target"] = state["target"].double()
    index = torch.tensor([3, 17, 5])
    target, rng = np.zeros((20, L)), np.random.default_rng(0)
    for step in range(3):
        z = rng.normal(size=(3, L))
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        target[index] = 0.7 * target[index] + 0.3 * p
        expected = -np.log(p[range(3), Y[:3]]) + 3 * np.log(1 - (p * target[index]).sum(axis=1))
        found = elr.loss(torch.tensor(z), LABELS[:3], index, state, weight=3.0, beta=0.7)
        assert np.allclose(found, expected, rtol=1e-12), step
    assert np.allclose(state["target"], target, rtol=1e-12)


def test_elr_keeps_its_state_tensor_and_takes_no_gradient_through_it():
    state = elr.state(N, L, "cpu")
    tensor = state["target"]
    logits = torch.tensor(Z, requires_grad=True)
    elr.loss(logits, LABELS, torch.arange(N), state).sum().backward()
    assert state["target"] is tensor
    assert not tensor.requires_grad
    # d/dz log(1 - <p, t>) = -(p * t - p <p, t>) / (1 - <p, t>), with t held fixed.
    t = 0.3 * P
    inner = (P * t).sum(axis=1, keepdims=True)
    expected = P - np.eye(L)[Y] - 3 * (P * t - P * inner) / (1 - inner)
    assert np.allclose(logits.grad, expected, rtol=1e-10, atol=1e-12)


def test_elr_draws_a_prediction_towards_what_was_predicted_early():
    """The regulariser falls as <p, t> rises: its loss is lower for a prediction that agrees with the target."""
    state = elr.state(1, 3, "cpu")
    state["target"][0] = torch.tensor([1.0, 0.0, 0.0])
    agree, differ = torch.tensor([[2.0, 0.0, 2.0]]), torch.tensor([[0.0, 2.0, 2.0]])
    losses = [elr.loss(z, torch.tensor([2]), torch.tensor([0]), copy.deepcopy(state)).item() for z in (agree, differ)]
    assert losses[0] < losses[1]


def test_clipped_elr_holds_p_and_averages_it_divided_by_its_sum():
    z = np.array([[12.0, 0.0, 0.0, -3.0, 1.0, 0.0], [0.3, 0.1, 0.0, 0.0, -0.2, 0.5]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    held = np.clip(p, 1e-4, 1 - 1e-4)
    target = 0.3 * held / held.sum(axis=1, keepdims=True)
    expected = -np.log(p[:, 0]) + 3 * np.log(1 - (held * target).sum(axis=1))
    state = elr.state(2, L, "cpu")
    state["target"] = state["target"].double()
    labels = torch.zeros(2, dtype=torch.int64)
    found = elr.loss(torch.tensor(z), labels, torch.arange(2), state, clip=1e-4)
    assert np.allclose(found, expected, rtol=1e-12)
    assert np.allclose(state["target"], target, rtol=1e-12)
    assert not np.allclose(elr.loss(torch.tensor(z), labels, torch.arange(2), elr.state(2, L, "cpu")), expected)


def test_weight_decay_changes_the_optimiser_and_nothing_else():
    recipe = {"epochs": 3, "optimiser": {"name": "sgd", "weight_decay": 1e-4}}
    before = copy.deepcopy(recipe)
    changed = weight_decay.settings(recipe, decay=0.01)
    assert changed == {"epochs": 3, "optimiser": {"name": "sgd", "weight_decay": 0.01}}
    assert recipe == before
    assert not hasattr(weight_decay, "loss")


@pytest.mark.parametrize(("function", "options"), METHODS)
def test_gradients_agree_with_finite_differences(function, options):
    # ELR holds its target fixed, which finite differences do not: its gradient has its own test above.
    if function is call_elr:
        options = {**options, "weight": 0.0}
    z = torch.tensor(Z, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: function(x, LABELS, **options), z)


@pytest.mark.parametrize(("function", "options"), METHODS)
def test_a_loss_does_not_depend_on_the_batch_it_is_in(function, options):
    z = torch.tensor(Z)
    whole = function(z, LABELS, **options)
    alone = torch.cat([function(z[i : i + 1], LABELS[i : i + 1], **options) for i in range(N)])
    assert torch.allclose(whole, alone, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("function", "options"), METHODS)
def test_narrow_types_are_computed_in_float32(function, options):
    narrow = torch.tensor(Z).bfloat16()
    losses = function(narrow, LABELS, **options)
    assert losses.dtype == torch.float32
    assert torch.equal(losses, function(narrow.float(), LABELS, **options))


@pytest.mark.parametrize(("function", "options"), METHODS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_logits_give_finite_losses_and_gradients(function, options, dtype):
    logits = torch.full((L, L), -1e4, dtype=dtype)
    logits[:, 2] = 1e4
    logits.requires_grad_()
    losses = function(logits, torch.arange(L), **options)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()


def test_no_loss_takes_anything_but_what_the_framework_can_give():
    for name in registry.names("methods"):
        loss = getattr(registry.load("methods", name), "loss", None)
        if loss is not None:
            parameters = inspect.signature(loss).parameters.values()
            positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
            assert positional[:2] == ["logits", "labels"]
            assert set(positional[2:]) <= {"index", "epoch", "state"}


@pytest.mark.parametrize(
    "name", [name for name in registry.names("methods") if "loss" in registry.describe("methods", name).functions]
)
def test_no_loss_reads_a_value_back_from_the_device(name):
    """Tensors of the meta device have no values: asking for one, or for a shape that depends on one, raises."""
    module = registry.load("methods", name)
    logits = torch.zeros(4, L, device="meta", requires_grad=True)
    needed = [name for name, o in registry.describe("methods", name).options.items() if o.default is registry.REQUIRED]
    known = dict.fromkeys(needed, 0.5) | {
        "index": torch.zeros(4, dtype=torch.int64, device="meta"),
        "epoch": torch.zeros((), dtype=torch.int64, device="meta"),
        "state": module.state(9, L, "meta") if hasattr(module, "state") else {},
        "alpha": 0.1,
        "transition": torch.zeros(L, L, dtype=torch.float64, device="meta"),
        "matrix": S,
    }
    labels = torch.zeros(4, dtype=torch.int64, device="meta")
    losses = module.loss(logits, labels, **context(module.loss, **known))
    losses.sum().backward()
    assert losses.shape == (4,)
    assert logits.grad.shape == (4, L)
