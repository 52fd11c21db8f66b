"""Smoothing that is not the same for all labels: towards a matrix, towards what is learnt, by the size of the class."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from configs import config
from smearlab.core.errors import UserError
from smearlab.core.jobs import plain
from smearlab.grid.cells import load_grid
from smearlab.grid.jobs import training_job
from smearlab.methods import (
    classwise_smoothing,
    cross_entropy,
    label_smoothing,
    online_label_smoothing,
    smoothing_matrix,
)
from smearlab.training.objective import Objective

N, L = 12, 5
RNG = np.random.default_rng(5)
Z = 2 * RNG.normal(size=(N, L))
Y = RNG.integers(0, L, N)
LOG_P = Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))
LABELS = torch.tensor(Y)
S = RNG.dirichlet(np.ones(L), size=L)


def towards(target):
    """The cross-entropy of the fixed predictions with targets (N, L)."""
    return -(target * LOG_P).sum(axis=1)


# Towards a matrix.


@given(st.floats(-3, 0.99))
def test_a_matrix_is_what_the_label_is_smoothed_towards(alpha):
    found = smoothing_matrix.loss(torch.tensor(Z), LABELS, alpha=alpha, matrix=json.dumps(S.tolist()))
    assert np.allclose(found, towards((1 - alpha) * np.eye(L)[Y] + alpha * S[Y]), rtol=1e-10, atol=1e-12)


def test_a_uniform_matrix_is_label_smoothing():
    uniform = json.dumps(np.full((L, L), 1 / L).tolist())
    found = smoothing_matrix.loss(torch.tensor(Z), LABELS, alpha=0.3, matrix=uniform)
    assert torch.allclose(found, label_smoothing.loss(torch.tensor(Z), LABELS, alpha=0.3), rtol=1e-12)


def test_every_smearing_with_a_positive_diagonal_is_reached():
    m = 0.2 * np.eye(L) + 0.8 * S
    alpha = 0.9
    assert alpha > 1 - np.diag(m).min()
    rest = (m - (1 - alpha) * np.eye(L)) / alpha
    assert (rest >= 0).all() and np.allclose(rest.sum(axis=1), 1)
    found = smoothing_matrix.loss(torch.tensor(Z), LABELS, alpha=alpha, matrix=json.dumps(rest.tolist()))
    assert np.allclose(found, towards(m[Y]), rtol=1e-10)


def matrix_grid(path, alphas=(0.2,)):
    method = {"name": "smoothing_matrix", "alphas": list(alphas), "matrix": path}
    return load_grid(config(("methods", ["cross_entropy", method]), ("noises.symmetric.rates", [0.4])))


def the_cell(grid):
    (cell,) = {row.cell for row in grid.rows if row.cell.method.name == "smoothing_matrix"}
    return cell


@pytest.fixture
def files(tmp_path):
    """The same matrix of ten classes in three formats, and another one."""
    matrix = np.random.default_rng(0).dirichlet(np.ones(10), size=10)
    np.save(tmp_path / "a.npy", matrix)
    (tmp_path / "b.json").write_text(json.dumps(matrix.tolist()))
    (tmp_path / "c.csv").write_text("\n".join(",".join(map(repr, row)) for row in matrix.tolist()))
    np.save(tmp_path / "other.npy", matrix[::-1])
    return tmp_path, matrix


def test_the_numbers_of_a_matrix_decide_the_cell_and_not_where_they_lie(files):
    folder, _ = files
    keys = [the_cell(matrix_grid(str(folder / name))).key for name in ("a.npy", "b.json", "c.csv", "other.npy")]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_the_job_holds_the_matrix_itself(files):
    folder, matrix = files
    job = training_job(the_cell(matrix_grid(str(folder / "a.npy"))), "paired-0")
    assert str(folder) not in json.dumps(plain(job))
    (folder / "a.npy").unlink()
    z, labels = torch.tensor(np.random.default_rng(6).normal(size=(6, 10))), torch.arange(6)
    objective = Objective(job.method, None, 6, 10, torch.device("cpu"))
    found = objective(z, labels, labels, warming=False)
    target = 0.8 * np.eye(10)[:6] + 0.2 * matrix[:6]
    assert np.allclose(found, -(target * torch.log_softmax(z, dim=1).numpy()).sum(axis=1), rtol=1e-10)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.eye(9), "a matrix of 9 rows, but data set digits has 10 classes"),
        (0.9 * np.eye(10), "row 0 of the transition matrix sums to 0.9"),
        (2 * np.eye(10) - 0.1, "finite entries of 0 or more"),
        (np.full((400, 400), 1 / 400), "more than 1048576 bytes"),
    ],
)
def test_a_matrix_that_does_not_fit_is_refused_before_anything_runs(tmp_path, rows, message):
    np.save(tmp_path / "m.npy", rows)
    with pytest.raises(UserError, match=message) as error:
        matrix_grid(str(tmp_path / "m.npy"))
    assert str(error.value).startswith("config: methods") and "\n" not in str(error.value)


def test_an_absent_matrix_is_named(tmp_path):
    with pytest.raises(UserError, match=r"config: methods\.1\.matrix: .*No such file"):
        matrix_grid(str(tmp_path / "none.csv"))


# Towards what the network says when it is right.


def online(state, epoch, alpha=0.5, z=Z, y=Y):
    return online_label_smoothing.loss(torch.tensor(z), torch.tensor(y), torch.tensor(epoch), state, alpha=alpha)


def test_online_smoothing_starts_as_label_smoothing():
    state = online_label_smoothing.state(N, L, "cpu")
    for _ in range(3):
        expected = label_smoothing.loss(torch.tensor(Z), LABELS, alpha=0.5)
        assert torch.allclose(online(state, 0), expected, rtol=1e-6)


def test_online_smoothing_learns_the_mean_of_the_right_predictions_of_the_epoch_before():
    state = online_label_smoothing.state(N, L, "cpu")
    p = np.exp(LOG_P)
    online(state, 0)
    z = np.random.default_rng(1).normal(size=(N, L))
    online(state, 0, z=z)  # two batches in the first epoch
    both = np.concatenate([p, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)])
    labels, right = np.tile(Y, 2), both.argmax(axis=1) == np.tile(Y, 2)
    soft = np.full((L, L), 1 / L)
    for k in set(labels[right]):
        soft[k] = both[right & (labels == k)].mean(axis=0)
    assert 0 < len(set(labels[right])) < L, "the case must hold a class without a right prediction"
    assert np.allclose(online(state, 1), towards(0.5 * np.eye(L)[Y] + 0.5 * soft[Y]), rtol=1e-5)
    assert np.allclose(state["soft"], soft, rtol=1e-5)
    assert np.allclose(online(state, 1), towards(0.5 * np.eye(L)[Y] + 0.5 * soft[Y]), rtol=1e-5)  # all epoch long


def test_online_smoothing_forgets_what_is_older_than_an_epoch():
    state, fresh = (online_label_smoothing.state(N, L, "cpu") for _ in range(2))
    wrong_once = -Z
    online(state, 0, z=wrong_once)
    everything = 4 * np.eye(L) + np.random.default_rng(6).normal(size=(L, L))
    for each in (state, fresh):
        online(each, 1, z=everything, y=np.arange(L))
        online(each, 2)
    assert torch.equal(state["soft"], fresh["soft"])


def test_online_smoothing_updates_its_tensors_in_place_and_without_gradient():
    state = online_label_smoothing.state(N, L, "cpu")
    before = dict(state)
    logits = torch.tensor(Z, requires_grad=True)
    for epoch in (0, 1):
        logits.grad = None
        online_label_smoothing.loss(logits, LABELS, torch.tensor(epoch), state, alpha=0.5).sum().backward()
        target = 0.5 * np.eye(L)[Y] + 0.5 * state["soft"].numpy()[Y]
        assert np.allclose(logits.grad, np.exp(LOG_P) - target, atol=1e-6)
    assert all(state[name] is before[name] and not state[name].requires_grad for name in before)


def test_online_smoothing_goes_on_from_a_checkpoint_in_mid_epoch():
    whole, first = (online_label_smoothing.state(N, L, "cpu") for _ in range(2))
    for state in (whole, first):
        online(state, 0)
    restored = online_label_smoothing.state(N, L, "cpu")
    for name, tensor in first.items():
        restored[name].copy_(tensor)
    for state in (whole, restored):
        online(state, 0, z=Z[::-1].copy())
    assert torch.equal(online(whole, 1), online(restored, 1))


# By the size of the class.


def classwise(labels, shown, **options):
    state = {"shown": torch.tensor(shown)}
    return classwise_smoothing.loss(torch.tensor(Z), torch.tensor(labels), state, **options), state


@pytest.mark.parametrize(
    ("shape", "half"), [("concave", np.sin(np.pi / 4)), ("linear", 0.5), ("convex", 1 - np.cos(np.pi / 4))]
)
def test_classes_are_smoothed_from_the_smallest_to_the_largest(shape, half):
    shown = np.array([100, 200, 300, 100, 200]) - np.bincount(Y, minlength=L)
    found, state = classwise(Y, shown, largest=0.4, smallest=0.1, shape=shape)
    assert state["shown"].tolist() == [100, 200, 300, 100, 200]
    strength = (0.1 + 0.3 * np.array([0, half, 1, 0, half]))[Y][:, None]
    target = np.where(np.eye(L)[Y] == 1, 1 - strength, strength / (L - 1))
    assert np.allclose(found, towards(target), rtol=1e-10)


def test_classes_of_one_size_are_smoothed_alike():
    shown = 50 - np.bincount(Y, minlength=L)
    found, _ = classwise(Y, shown, largest=0.4, smallest=0.1)
    alpha = 0.1 * L / (L - 1)  # e / (L - 1) for each other class is alpha / L
    assert torch.allclose(found, label_smoothing.loss(torch.tensor(Z), LABELS, alpha=alpha), rtol=1e-10)


def test_the_first_batch_has_counts_already_and_the_batches_of_an_epoch_add_up():
    state = classwise_smoothing.state(N, L, "cpu")
    tensor = state["shown"]
    for half in (slice(0, 6), slice(6, N)):
        loss = classwise_smoothing.loss(torch.tensor(Z[half]), LABELS[half], state)
        assert loss.isfinite().all()
    assert state["shown"] is tensor and tensor.tolist() == np.bincount(Y, minlength=L).tolist()


def test_classwise_smoothing_of_nothing_is_cross_entropy():
    found, _ = classwise(Y, np.zeros(L, np.int64), largest=0.0, smallest=0.0)
    assert torch.equal(found, cross_entropy.loss(torch.tensor(Z), LABELS))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_classwise_smoothing_has_finite_losses_and_gradients_at_extreme_logits(dtype):
    logits = torch.full((L, L), -1e4, dtype=dtype)
    logits[:, 2] = 1e4
    logits.requires_grad_()
    losses = classwise_smoothing.loss(logits, torch.arange(L), classwise_smoothing.state(L, L, "cpu"))
    losses.sum().backward()
    assert losses.isfinite().all() and logits.grad.isfinite().all()
