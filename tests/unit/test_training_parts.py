"""Parts of training against definitions: schedule, optimiser, batches, distance to the teacher, fractions."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from counted import Counted
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from smearlab.core import registry
from smearlab.training.batches import Batches, Pixels, epoch_draws
from smearlab.training.history import fractions, history_examples
from smearlab.training.schedule import learning_rates
from smearlab.training.stack import stacked_images
from smearlab.training.student import distance_to_teacher

CPU = torch.device("cpu")
UNIT = (np.zeros(2), np.ones(2))


def schedule(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "milestones": [], "factor": 0.1, "warmup": 0.0} | changes


def test_a_cosine_with_restarts_is_a_cosine_in_each_cycle() -> None:
    one = learning_rates(10, 0.4, schedule("cosine"))
    assert torch.equal(learning_rates(10, 0.4, schedule("cosine_restarts", cycles=1)), one)
    torch.testing.assert_close(learning_rates(30, 0.4, schedule("cosine_restarts", cycles=3)), one.repeat(3))
    longer = learning_rates(70, 0.4, schedule("cosine_restarts", cycles=3, growth=2.0))
    cycles = [learning_rates(n, 0.4, schedule("cosine")) for n in (10, 20, 40)]
    torch.testing.assert_close(longer, torch.cat(cycles))
    warmed = learning_rates(12, 0.4, schedule("cosine_restarts", cycles=2, warmup=1 / 6))
    torch.testing.assert_close(warmed[2:], learning_rates(5, 0.4, schedule("cosine")).repeat(2))


def test_cosine_starts_at_the_base_rate_and_falls_to_zero() -> None:
    rates = learning_rates(100, 0.4, schedule("cosine"))
    assert rates[0] == 0.4
    assert rates[50] == pytest.approx(0.2)
    assert rates[25] == pytest.approx(0.4 * math.cos(math.pi / 8) ** 2)  # (1 + cos 2x) / 2 = cos² x
    assert (rates.diff() < 0).all()
    assert 0 < rates[-1] < 1e-3


def test_steps_of_he_et_al_at_32k_and_48k_of_64k() -> None:
    rates = learning_rates(64_000, 0.1, schedule("step", milestones=[0.75, 0.5]))
    at = [rates[k].item() for k in (0, 31_999, 32_000, 47_999, 48_000, 63_999)]
    assert at == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_warmup_is_linear_and_then_the_schedule_begins() -> None:
    rates = learning_rates(10, 1.0, schedule("cosine", warmup=0.4))
    assert rates[:4].tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates[4:].tolist() == pytest.approx([0.5 + 0.5 * math.cos(math.pi * k / 6) for k in range(6)])
    milestones = learning_rates(10, 1.0, schedule("step", milestones=[0.5], factor=0.2, warmup=0.2))
    assert milestones.tolist() == pytest.approx([0.5, *[1.0] * 4, *[0.2] * 5])  # counted from the first step of all


def test_a_constant_rate_stays_after_its_rise() -> None:
    assert learning_rates(10, 0.3, schedule("constant")).tolist() == [0.3] * 10
    assert learning_rates(4, 0.3, schedule("constant", warmup=0.5)).tolist() == pytest.approx([0.15, 0.3, 0.3, 0.3])


@pytest.mark.parametrize("name", registry.names("schedules"))
@pytest.mark.parametrize("warmup", [0.0, 0.33, 1.0])
def test_every_schedule_has_a_rate_for_each_step_and_none_above_the_recipes(name: str, warmup: float) -> None:
    rates = learning_rates(7, 0.2, schedule(name, milestones=[0.5], warmup=warmup))
    assert rates.shape == (7,)
    assert ((rates > 0) & (rates < 0.2 + 1e-12)).all()


OPTIMISERS = [
    *(
        ("sgd", {"momentum": momentum, "nesterov": nesterov, "weight_decay": decay}, torch.optim.SGD, {})
        for momentum, nesterov, decay in ((0.9, True, 1e-2), (0.9, False, 0.0), (0.0, False, 0.1))
    ),
    *(
        (
            "adamw",
            {"beta1": beta1, "beta2": beta2, "epsilon": epsilon, "weight_decay": decay},
            torch.optim.AdamW,
            {"betas": (beta1, beta2), "eps": epsilon},
        )
        for beta1, beta2, epsilon, decay in ((0.9, 0.999, 1e-8, 0.01), (0.5, 0.9, 1e-3, 0.3), (0.0, 0.99, 1e-8, 0.0))
    ),
]


@pytest.mark.parametrize(
    ("name", "rule", "torchs", "its"), OPTIMISERS, ids=[f"{case[0]}-{k}" for k, case in enumerate(OPTIMISERS)]
)
def test_an_optimiser_is_torchs(name: str, rule: dict[str, Any], torchs: Any, its: dict[str, Any]) -> None:
    def network() -> nn.Module:
        torch.manual_seed(0)
        layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(5 * 36, 4))
        return layers.to(memory_format=torch.channels_last)

    ours, theirs = network(), network()
    descent = registry.build("optimisers", {"name": name, **rule, "learning_rate": 0.1}, ours.parameters(), CPU)
    given = its | {"weight_decay": rule["weight_decay"]} if its else rule
    known = torchs(theirs.parameters(), 0.1, **given, fused=True)
    for rate in (0.1, 0.05, 0.2, 0.0, 0.01):
        images = torch.randn(6, 3, 8, 8)
        descent.learning_rate.fill_(rate)
        known.param_groups[0]["lr"] = rate
        for one, optimiser in ((ours, descent), (theirs, known)):
            one.zero_grad()
            one(images).square().mean().backward()
            optimiser.step()
    start = network()
    for a, b, before in zip(ours.parameters(), theirs.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)
        assert not torch.equal(a, before)


def test_adamw_is_the_rule_of_its_paper() -> None:
    """Loshchilov & Hutter 2019, algorithm 2, on one weight: the decay is no part of the moments."""
    weight = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
    rule = {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1}
    descent = registry.build("optimisers", {"name": "adamw", **rule}, [weight], CPU)
    expected, first, second = 2.0, 0.0, 0.0
    for t, (rate, gradient) in enumerate([(0.1, 3.0), (0.2, -1.0), (0.05, 0.5)], start=1):
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        descent.learning_rate.fill_(rate)
        descent.step()
        first, second = 0.8 * first + 0.2 * gradient, 0.9 * second + 0.1 * gradient**2
        unbiased = first / (1 - 0.8**t), second / (1 - 0.9**t)
        expected -= rate * (unbiased[0] / (unbiased[1] ** 0.5 + 1e-3) + 0.1 * expected)
        assert weight.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", registry.names("optimisers"))
def test_an_optimiser_that_gets_its_state_back_goes_on_as_if_it_had_not_stopped(name: str) -> None:
    def steps(count: int, weights: torch.Tensor, state: dict[str, torch.Tensor] | None, begin: int) -> Any:
        weight = nn.Parameter(weights.clone())
        descent = registry.build("optimisers", {"name": name, "learning_rate": 0.1}, [weight], CPU)
        if state is not None:
            descent.restore(state)
        for k in range(begin, begin + count):
            weight.grad = torch.sin(torch.arange(12.0) + k).view(3, 4)
            descent.learning_rate.fill_(0.1)
            descent.step()
        return weight.detach(), {key: tensor.clone() for key, tensor in descent.state().items()}

    start = torch.ones(3, 4)
    unbroken, last = steps(5, start, None, 0)
    half, state = steps(2, start, None, 0)
    resumed, again = steps(3, half, state, 2)
    assert torch.equal(resumed, unbroken)
    assert all(torch.equal(again[key], tensor) for key, tensor in last.items())
    forgetful, _ = steps(3, half, None, 2)
    assert not torch.equal(forgetful, unbroken)


def images(n: int = 5, size: int = 4) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 2), dtype=np.uint8)


@settings(max_examples=40, deadline=None)
@given(padding=st.integers(0, 2), seed=st.integers(0, 10_000))
def test_an_augmented_batch_is_pad_crop_flip_one_image_at_a_time(padding: int, seed: int) -> None:
    given_images = images()
    pixels = Pixels(given_images, padding, UNIT, CPU)
    rng = np.random.default_rng(seed)
    index = rng.integers(0, 5, 7)
    top, left = rng.integers(0, 2 * padding + 1, (2, 7))
    flip = rng.integers(0, 2, 7)
    batch = pixels.augmented(*map(torch.from_numpy, (index, top, left, flip)))
    assert batch.shape == (7, 2, 4, 4)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    for k, image in enumerate(given_images[index]):
        padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
        crop = padded[top[k] : top[k] + 4, left[k] : left[k] + 4]
        crop = crop[:, ::-1] if flip[k] else crop
        np.testing.assert_array_equal(batch[k].permute(1, 2, 0).numpy(), crop)


def test_plain_is_augmented_in_the_middle_without_flip() -> None:
    pixels = Pixels(images(), 2, UNIT, CPU)
    index, middle = torch.tensor([4, 0]), torch.full((2,), 2)
    torch.testing.assert_close(
        pixels.plain(index), pixels.augmented(index, middle, middle, torch.zeros(2, dtype=torch.int64)), rtol=0, atol=0
    )


def batches(n: int, size: int, padding: int = 1, flip: bool = True, seed: int = 0) -> Batches:
    pixels = Pixels(images(n), padding, UNIT, CPU)
    return Batches(pixels, torch.arange(n), size, flip, "teacher", seed)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 40), size=st.integers(1, 50), epoch=st.integers(0, 99))
def test_an_epoch_shows_every_image_once_but_the_incomplete_batch(n: int, size: int, epoch: int) -> None:
    source = batches(n, size)
    source.start(epoch)
    shown = [source.next() for _ in range(source.per_epoch)]
    index = torch.cat([i for _, _, i in shown])
    assert len(index) == len(set(index.tolist())) == (n // size * size if n >= size else n)
    assert all(len(i) == min(n, size) for _, _, i in shown)
    assert all(torch.equal(labels, i) for _, labels, i in shown)


def test_an_epoch_can_be_entered_in_the_middle() -> None:
    whole, later = batches(32, 8), batches(32, 8)
    whole.start(3)
    seen = [whole.next() for _ in range(4)]
    later.start(3, position=2)
    for expected in seen[2:]:
        assert all(torch.equal(a, b) for a, b in zip(later.next(), expected, strict=True))


def test_epochs_and_seeds_draw_differently_and_crops_cover_all_places() -> None:
    draws = [epoch_draws(batches(64, 64, seed=s), e) for s, e in ((0, 0), (0, 1), (1, 0))]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(draws, 2))
    _, top, left, flip = draws[0].view(-1, 4).unbind(1)
    assert set(top.tolist()) == set(left.tolist()) == {0, 1, 2}
    assert set(flip.tolist()) == {0, 1}
    assert batches(8, 4, padding=0, flip=False).draws.shape[-1] == 1


@pytest.mark.parametrize("replicates", [1, 5])
def test_a_batch_takes_as_many_operations_whatever_its_size_and_number_of_replicates(replicates: int) -> None:
    """Where in the padded images each pixel lies (5), one gather, to float, one multiplication with addition."""
    counts = []
    for n, size, padding in ((20, 4, 1), (200, 100, 4)):
        images = np.random.default_rng(n).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
        pixels = Pixels(images, padding, (np.ones(3), np.ones(3)), torch.device("cpu"))
        batches = Batches(pixels, torch.arange(n), size, True, "teacher", 0)
        batches.start(0)
        with Counted() as alone:
            batches.next()
        assert sum(alone.ran.values()) == 8 + 3  # and the place in the epoch, to and from, and the labels
        with Counted() as stacked:
            stacked_images(pixels, batches.draws[0][:, None].repeat(1, replicates, 1))
        counts.append(stacked.ran)
    assert counts[0] == counts[1] and counts[0]["aten.index.Tensor"] == 1
    assert sum(counts[0].values()) == 8 + 1  # laying out what is repeated


def test_augmentation_does_not_change_the_order() -> None:
    plain, augmented = batches(32, 8, padding=0, flip=False), batches(32, 8)
    assert torch.equal(epoch_draws(plain, 0)[..., 0], epoch_draws(augmented, 0)[..., 0])


def logits(seed: int) -> torch.Tensor:
    return 3 * torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_distance_is_hintons_formula(temperature: float) -> None:
    student, teacher = logits(0), logits(1)
    q, p = (z / temperature for z in (student, teacher))
    q, p = (z.exp() / z.exp().sum(1, keepdim=True) for z in (q, p))
    expected = temperature**2 * (p * (p / q).log()).sum(1)
    torch.testing.assert_close(distance_to_teacher(student, teacher, temperature, temperature), expected)


def test_distance_vanishes_at_the_teacher_and_only_there() -> None:
    teacher = logits(1)
    torch.testing.assert_close(
        distance_to_teacher(teacher + 7, teacher, 3.0, 3.0), torch.zeros(6, dtype=torch.float64), rtol=0, atol=1e-12
    )
    assert (distance_to_teacher(logits(0), teacher, 3.0, 3.0) > 0).all()


def test_mullers_student_at_temperature_one_has_the_plain_gradient() -> None:
    student, teacher = logits(0).requires_grad_(), logits(1)
    distance_to_teacher(student, teacher, 4.0, 1.0).sum().backward()
    torch.testing.assert_close(student.grad, student.detach().softmax(1) - (teacher / 4).softmax(1))


def test_fractions_by_hand() -> None:
    observed, clean = np.array([0, 1, 2, 0]), np.array([0, 2, 2, 1])
    found = fractions(np.array([0, 1, 0, 1]), observed, clean)
    assert found == {"noisy": 0.5, "clean": 0.5, "memorised": 0.5, "recovered": 0.5}
    assert fractions(clean, clean, clean)["memorised"] is None
    unknown = fractions(observed, observed, np.full(4, -1))
    assert unknown == {"noisy": 1.0, "clean": None, "memorised": None, "recovered": None}


def test_the_history_looks_at_a_seeded_choice() -> None:
    chosen = history_examples(100, 10, "teacher", 0)
    assert len(set(chosen.tolist())) == 10
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, history_examples(100, 10, "teacher", 0))
    assert not np.array_equal(chosen, history_examples(100, 10, "teacher", 1))
    np.testing.assert_array_equal(history_examples(7, 0, "teacher", 0), np.arange(7))
    np.testing.assert_array_equal(history_examples(7, 50, "teacher", 0), np.arange(7))
