"""Controls of "is it just regularisation?": mixup and sharpness-aware minimisation, against their definitions."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import tiny_training as tiny
import torch
import torch.nn.functional as F

from configs import config
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.training.batches import Batches
from smearlab.training.lanes import Lane
from smearlab.training.mixup import Mixture, Mixup
from smearlab.training.sharpness import Sharpness
from smearlab.training.trainee import Trainee, make_problem

CPU = torch.device("cpu")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "weights.safetensors")


def trainee(**changes: object) -> Trainee:
    recipe, training, job = tiny.recipe(**changes), tiny.training_data(), tiny.job(count=1)
    observed = tiny.observed_labels(training, 0)
    return Trainee(
        make_problem(training, recipe, tiny.N_CLASSES, CPU),
        recipe,
        job.method,
        role="teacher",
        seeds=job.replicates[0],
        observed=observed,
        taught=observed,
        transition=None,
        lane=Lane(),
    )


# Mixup.


def test_the_loss_of_a_mixture_is_cross_entropy_with_the_mixed_target():
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(6, 4)))
    labels, index = torch.from_numpy(rng.integers(0, 4, 6)), torch.arange(6)
    mixture = Mixture(torch.tensor(0.3), torch.tensor([5, 4, 3, 2, 1, 0]))
    found = mixture.loss(lambda y, _: F.cross_entropy(logits, y, reduction="none"), labels, index)
    target = 0.3 * F.one_hot(labels, 4) + 0.7 * F.one_hot(labels.flip(0), 4)
    assert found.numpy() == pytest.approx(-(target * logits.log_softmax(1)).sum(1).numpy())


def test_images_are_mixed_as_their_labels_are():
    images = torch.arange(12.0).reshape(3, 2, 2)
    mixture = Mixture(torch.tensor(0.25), torch.tensor([1, 2, 0]))
    assert torch.equal(mixture.inputs(images)[0], 0.25 * images[0] + 0.75 * images[1])


@pytest.mark.parametrize("strength", [0.2, 1.0, 8.0])
def test_weights_are_of_the_beta_distribution_and_partners_a_shuffled_batch(strength: float):
    pixels = make_problem(tiny.training_data(600, 0), tiny.recipe(), tiny.N_CLASSES, CPU).train
    batches = Batches(pixels, torch.zeros(600, dtype=torch.int64), 2, False, "teacher", 0)
    mixup, drawn = Mixup(strength, batches), []
    for epoch in range(4):
        mixup.start(epoch)
        drawn.append(mixup.weights.clone())
        assert torch.equal(mixup.partners.sort(dim=1).values, torch.arange(2).expand(300, 2))
    assert not torch.equal(drawn[0], drawn[1])
    weights = torch.cat(drawn).numpy()
    assert weights.mean() == pytest.approx(0.5, abs=0.04)
    assert weights.var() == pytest.approx(1 / (4 * (2 * strength + 1)), rel=0.15)


def test_order_and_augmentation_are_those_without_it():
    plain, mixed = trainee(), trainee(mixup=0.4)
    for one in (plain, mixed):
        one.start_epoch()
    assert torch.equal(plain.batches.draws, mixed.batches.draws)
    batch, image = mixed.next_batch(), plain.next_batch().images
    assert torch.equal(batch.images, batch.mixture.inputs(image))


def test_a_student_of_mixed_images_has_its_teacher_see_them():
    mixing = ("recipes.small.mixup", 0.2)
    assert {cell.view for cell in load_grid(config(mixing)).cells.values() if cell.teacher} == {"same"}
    with pytest.raises(UserError, match="views: fixed: recipe small mixes images"):
        load_grid(config(mixing, ("students.0.views", ["fixed"])))


# Sharpness-aware minimisation.


def test_the_gradient_is_that_of_the_worst_point_nearby():
    """On a quadratic: climbing from w along g = A w, of length ρ."""
    matrix = torch.diag(torch.tensor([1.0, 3.0]))
    w = torch.tensor([0.5, -1.0], requires_grad=True)
    sharpness = Sharpness(0.1, [w], [])

    def loss() -> torch.Tensor:
        return 0.5 * w @ matrix @ w

    sharpness.climbed(loss(), loss).backward()
    sharpness.back()
    g = np.array([0.5, -3.0])
    top = np.array([0.5, -1.0]) + 0.1 * g / np.linalg.norm(g)
    assert w.tolist() == [0.5, -1.0]
    assert w.grad.numpy() == pytest.approx(np.array([1.0, 3.0]) * top, rel=1e-6)


def test_where_there_is_no_gradient_nothing_moves():
    w, other = torch.zeros(2, requires_grad=True), torch.ones(1, requires_grad=True)
    Sharpness(0.1, [w, other], []).climbed((w * w).sum(), lambda: (w * w).sum())
    assert w.tolist() == [0, 0] and other.tolist() == [1]


@pytest.mark.parametrize("name", ["elr", "online_label_smoothing"])
def test_the_second_pass_leaves_statistics_and_state_as_the_first_left_them(name: str, tmp_path: Path):
    """After one step the buffers of a residual network are those of the plain run, whose weights differ."""
    method = tiny.method(name, alpha=0.5 if "smoothing" in name else None)
    shared = {"architecture": {"name": "resnet8", "width": 4}, "epochs": None, "steps": 1, "snapshots": 0}
    states = []
    for radius in (0.0, 0.5):
        job = tiny.job(count=1, method=method, recipe=tiny.recipe(**shared, sam_radius=radius))
        tiny.train(job, tmp_path / str(radius))
        states.append(weights(tmp_path / str(radius)))
    plain, sharp = states
    buffers = [key for key in plain if "running" in key or "tracked" in key]
    assert buffers and all(torch.equal(plain[key], sharp[key]) for key in buffers)
    assert not torch.equal(plain["0/last/head.weight"], sharp["0/last/head.weight"])


def test_a_tiny_radius_is_the_plain_gradient(tmp_path: Path):
    for radius in (0.0, 1e-7):
        tiny.train(tiny.job(count=1, recipe=tiny.recipe(sam_radius=radius)), tmp_path / str(radius))
    plain, sharp = weights(tmp_path / "0.0"), weights(tmp_path / "1e-07")
    assert all(torch.allclose(plain[key], sharp[key], atol=1e-4) for key in plain)


def test_the_loss_that_is_noted_is_the_one_at_the_weights(tmp_path: Path):
    first = []
    for radius in (0.0, 0.5):
        recipe = tiny.recipe(epochs=None, steps=1, snapshots=0, sam_radius=radius)
        first.append(tiny.train(tiny.job(count=1, recipe=recipe), tmp_path / str(radius)).replicates[0].history[0])
    assert first[0]["loss"] == first[1]["loss"]
