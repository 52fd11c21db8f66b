"""T-Revision against importance reweighting, cross-entropy and finite differences, in float64."""

from dataclasses import replace

import numpy as np
import pytest
import tiny_training as tiny
import torch
import torch.nn.functional as F

from smearlab.core.transition import perturb, symmetric
from smearlab.methods import t_revision
from smearlab.training import block
from smearlab.training.block import Interrupted
from smearlab.training.correction import Corrections

N, L = 40, 5
RNG = np.random.default_rng(3)
Z = RNG.normal(size=(N, L)) * 2
Y = RNG.integers(0, L, N)
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
T = 0.6 * np.eye(L) + 0.4 * RNG.dirichlet(np.ones(L), size=L)
LOSS = -np.log(P[np.arange(N), Y])


def state(slack=None):
    found = {name: tensor.double() for name, tensor in t_revision.state(N, L, "cpu").items()}
    if slack is not None:
        found["slack"] += torch.tensor(slack)
    return found


def call(kept, transition=T, epoch=5, **options):
    logits = torch.tensor(Z, requires_grad=True)
    found = t_revision.loss(
        logits, torch.tensor(Y), torch.tensor(epoch), kept, transition=torch.tensor(transition), **options
    )
    return logits, found


def weighted(slack, transition=T):
    """The mean weighted loss at a slack, the weights by their formula."""
    revised = np.maximum(transition + slack, 0)
    revised /= revised.sum(axis=1, keepdims=True)
    return float(np.mean(P[np.arange(N), Y] / (P @ revised)[np.arange(N), Y] * LOSS))


def test_at_rate_0_it_is_importance_reweighting_with_constant_weights():
    kept = state()
    logits, found = call(kept, rate=0.0, start=0)
    weights = P[np.arange(N), Y] / (P @ T)[np.arange(N), Y]
    assert found.detach().numpy() == pytest.approx(weights * LOSS)
    found.sum().backward()
    assert logits.grad.numpy() == pytest.approx(weights[:, None] * (P - np.eye(L)[Y]))
    assert not kept["slack"].any()


def test_at_the_identity_it_is_cross_entropy():
    _, found = call(state(), np.eye(L), rate=0.0)
    assert found.detach().numpy() == pytest.approx(F.cross_entropy(torch.tensor(Z), torch.tensor(Y), reduction="none"))
    assert t_revision.PLAIN_AT == {"transition": "identity", "rate": 0}


def test_the_slack_steps_down_the_gradient_of_the_weighted_loss_from_its_epoch_on():
    slack = np.random.default_rng(4).normal(size=(L, L)) * 0.02
    slack[0, 1] = -T[0, 1] - 0.1  # cut off at 0: it stays where it is
    numeric = np.zeros((L, L))
    for i, j in np.ndindex(L, L):
        for sign in (1, -1):
            moved = slack.copy()
            moved[i, j] += sign * 1e-6
            numeric[i, j] += sign * weighted(moved) / 2e-6
    kept = state(slack)
    call(kept, epoch=4, rate=0.5, start=5)
    assert np.array_equal(kept["slack"], slack)
    _, found = call(kept, epoch=5, rate=0.5, start=5)
    assert found.mean().item() == pytest.approx(weighted(slack)), "the weights are those before the step"
    assert (slack - kept["slack"].numpy()) / 0.5 == pytest.approx(numeric, abs=1e-8) and numeric[0, 1] == 0
    assert weighted(kept["slack"].numpy()) < weighted(slack)


def test_left_free_every_entry_would_only_grow():
    """Why rows are divided by their sums: each entry of a free T' makes the weighted loss smaller."""
    free = torch.tensor(T, requires_grad=True)
    q = (torch.tensor(P) @ free).gather(1, torch.tensor(Y)[:, None])[:, 0]
    (torch.tensor(P[np.arange(N), Y] * LOSS) / q).mean().backward()
    assert (free.grad < 0).all()


def test_the_slack_stays_bounded_under_40_percent_noise():
    """A softmax regression of three Gaussians, T off by 0.3: rows of T' stay on the simplex, its entries near."""
    rng = np.random.default_rng(0)
    true, classes = symmetric(3, 0.4), np.repeat(np.arange(3), 100)
    x = torch.tensor(3 * np.eye(3)[classes] + rng.normal(size=(300, 3)))
    labels = torch.tensor([rng.choice(3, p=true[c]) for c in classes])
    given = torch.tensor(perturb(true, 0.3, 0))
    kept = {name: tensor.double() for name, tensor in t_revision.state(300, 3, "cpu").items()}
    weights = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    for epoch in range(150):
        (found,) = torch.autograd.grad(
            t_revision.loss(x @ weights, labels, torch.tensor(epoch), kept, transition=given, start=20).mean(), weights
        )
        weights.data -= 0.5 * found
    assert 0 < kept["slack"].abs().max() < 0.3 and torch.isfinite(weights).all()


@pytest.mark.parametrize("stacked", [False, True])
def test_the_slack_is_in_the_checkpoint(tmp_path, monkeypatch, stacked):
    """Stopped after every few turns and continued, a block ends with the bytes of an unbroken one."""
    job = tiny.job(method=tiny.method("t_revision", options={"start": 1, "rate": 0.5}))
    job = replace(job, recipe=replace(job.recipe, stacked=stacked))
    given = Corrections(transitions=[symmetric(3, rate).tolist() for rate in (0.2, 0.4)], refusals=[None] * 2)
    whole, stopped, unmoved = (tmp_path / name for name in ("whole", "stopped", "unmoved"))
    for folder in (whole, stopped, unmoved):
        folder.mkdir()
    tiny.train(job, whole, corrections=given)
    for turns in (2, 4, 2):
        with monkeypatch.context() as patch:
            patch.setattr(block, "stop_signals", lambda turns=turns: StopAfter(turns))
            with pytest.raises(Interrupted):
                tiny.train(job, stopped, corrections=given)
    tiny.train(job, stopped, corrections=given)
    assert tiny.outcome(stopped) == tiny.outcome(whole)
    still = replace(job, method=tiny.method("t_revision", options={"start": 1, "rate": 0.0}))
    tiny.train(still, unmoved, corrections=given)
    assert tiny.outcome(unmoved)[0] != tiny.outcome(whole)[0], "the slack matters"


class StopAfter:
    """A stop signal that comes after some turns of the loop."""

    def __init__(self, turns):
        self.turns = turns

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def is_set(self):
        self.turns -= 1
        return self.turns <= 0
