"""Weights cast to bf16 all together: bit for bit what autocast computes layer by layer, with fewer operations."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from counted import Counted
from test_training_stacked import StopAfter, T
from tiny_training import ADAMW, job, method, outcome, recipe, train
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.training import block as blocks
from smearlab.training import forward
from smearlab.training.block import Interrupted
from smearlab.training.correction import Corrections
from smearlab.training.device import autocast
from smearlab.training.forward import Forward, cast_for_ever, cast_weights
from smearlab.training.stacking import Stacked

CPU = torch.device("cpu")
WIDE = ("resnet18", "resnet34", "resnet50", "pretrained")  # torchvision's: no width to make small
BF16 = {"precision": "bf16"}


def network(name: str, seed: int = 0) -> nn.Module:
    """A small network of a kind; the pretrained one with a body that is frozen."""
    options: dict[str, Any] = {} if name in (*WIDE, "linear") else {"width": 4}
    shape = (6,) if name in ("linear", "mlp") else (3, 8)
    if name == "pretrained":
        options, shape = {"of": "resnet18", "weights": "", "body_rate": 0.0}, (3, 32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        built = registry.load("networks", name).build(4, *shape, **options)
    return built.to(memory_format=torch.channels_last)


def examples(name: str, count: int = 1) -> Tensor:
    draw = torch.Generator().manual_seed(3)
    if name in ("linear", "mlp"):
        return torch.randn(5, count * 6, generator=draw)
    side = 32 if name in ("pretrained", "resnet50") else 8  # resnet50's gradient on less is not the same twice
    return torch.randn(2 if name in WIDE else 5, count * 3, side, side, generator=draw).contiguous(
        memory_format=torch.channels_last
    )


def as_autocast(module: nn.Module, images: Tensor) -> Tensor:
    with autocast(CPU, "bf16"):
        return module(images).float()


def gradients(module: nn.Module, passes: Callable[[Tensor], Tensor], images: Tensor) -> list[Tensor | None]:
    module.zero_grad()
    logits = passes(images)
    (logits * torch.linspace(-1, 1, logits.numel()).view_as(logits)).sum().backward()
    return [logits.detach(), *(p.grad for p in module.parameters()), *(b.clone() for b in module.buffers())]


def assert_same(ones: list[Tensor | None], others: list[Tensor | None]) -> None:
    for one, other in zip(ones, others, strict=True):
        assert (one is None) == (other is None)
        assert one is None or (torch.equal(one, other) and one.stride() == other.stride() and one.dtype == other.dtype)


@pytest.mark.parametrize("name", registry.names("networks"))
def test_every_network_gives_the_bits_of_autocast(name: str) -> None:
    plain, ours = network(name), network(name)
    assert len(cast_weights(ours)) >= len([m for m in ours.modules() if isinstance(m, (nn.Conv2d, nn.Linear))])
    images = examples(name)
    for _ in range(1 if name in WIDE else 2):  # the second from batch statistics that the first has left
        expected = gradients(plain, lambda x: as_autocast(plain, x), images)
        assert_same(gradients(ours, Forward(ours, CPU, "bf16"), images), expected)
    assert all(p.dtype == torch.float32 for p in ours.parameters())


@pytest.mark.parametrize("name", ["cnn", "mlp", "resnet8", "resnet18"])
def test_stacked_networks_do_too(name: str) -> None:
    plain, ours = (Stacked([network(name, seed) for seed in range(2)]).module for _ in range(2))
    assert cast_weights(ours) == cast_weights(network(name))
    images = examples(name, 2)
    expected = gradients(plain, lambda x: as_autocast(plain, x), images)
    assert_same(gradients(ours, Forward(ours, CPU, "bf16"), images), expected)


@pytest.mark.parametrize("name", ["cnn", "resnet8"])
def test_a_teacher_is_asked_in_the_same_bits(name: str) -> None:
    plain, ours = network(name).eval(), network(name).eval()
    cast_for_ever(ours, "bf16")
    assert {p.dtype for p in ours.parameters()} == {torch.float32, torch.bfloat16}
    with torch.no_grad():
        assert torch.equal(as_autocast(ours, examples(name)), as_autocast(plain, examples(name)))
    cast_for_ever(plain, "fp32")
    assert {p.dtype for p in plain.parameters()} == {torch.float32}


def test_what_is_not_known_is_left_to_autocast() -> None:
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    shared = nn.Linear(3, 3)

    class Odd(nn.Sequential):
        """Might call its parts twice."""

    for odd in (tied, nn.Sequential(shared, shared), Odd(nn.Linear(3, 3)), nn.Sequential(nn.LayerNorm(3))):
        assert cast_weights(odd) == []
    images = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    for one in (tied, nn.Sequential(shared, shared)):
        expected = gradients(one, lambda x, one=one: as_autocast(one, x), images)
        assert_same(gradients(one, Forward(one, CPU, "bf16"), images), expected)
    assert cast_weights(nn.Sequential(nn.Linear(3, 3))) == ["0.weight", "0.bias"]
    assert cast_weights(nn.Linear(3, 3).double()) == []
    assert Forward(nn.Linear(3, 3), CPU, "fp32").names == []


TRAININGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped": {"recipe": {"clip_norm": 0.5, "loss_scale": 3.0}},
    "adamw": {"recipe": {"optimiser": ADAMW}},
    "mixup and sharpness, method with state": {"method": method("elr"), "recipe": {"mixup": 0.4, "sam_radius": 0.1}},
    "forward": {"method": method("forward"), "corrections": Corrections([T] * 2, [None] * 2)},
    "warm-up": {"method": method("gce", warm_up=0.4)},
    "balanced": {"recipe": {"class_weights": "balanced", "sampling": "balanced"}},
    "residual, stacked": {"recipe": {"stacked": True, "architecture": {"name": "resnet8", "width": 2}}},
    "stacked, method with state": {"method": method("elr"), "recipe": {"stacked": True}},
    "student": {"role": "student", "view": "same"},
    "student of fixed logits": {"role": "student", "view": "fixed", "beta": 1.0},
    "stacked students": {"role": "student", "view": "same", "recipe": {"stacked": True}},
}


@pytest.mark.parametrize("named", TRAININGS)
def test_a_training_leaves_the_bytes_it_left_before_and_continues_one_that_began_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    """Before: with each weight cast by autocast, as a checkpoint of then was made."""
    changes = dict(TRAININGS[named])
    corrections = changes.pop("corrections", Corrections())
    settings, role = recipe(**changes.pop("recipe", {}), **BF16), changes.pop("role", "teacher")
    changes |= {"teacher_recipe": recipe(**BF16)} if role == "student" else {}
    wanted = job(role, recipe=settings, **changes)
    places = {name: tmp_path / name for name in ("taught", "before", "now", "continued")}
    for place in places.values():
        place.mkdir()
    with monkeypatch.context() as then:
        then.setattr(forward, "cast_weights", lambda network: [])
        train(job(recipe=recipe(**BF16)), places["taught"])
        train(wanted, places["before"], places["taught"], corrections)
        then.setattr(blocks, "stop_signals", lambda: StopAfter(4))
        with pytest.raises(Interrupted):
            train(wanted, places["continued"], places["taught"], corrections)
    for name in ("now", "continued"):
        train(wanted, places[name], places["taught"], corrections)
        assert outcome(places[name]) == outcome(places["before"])


def operations(module: nn.Module, passes: Callable[[Tensor], Tensor], images: Tensor) -> Counter[str]:
    with Counted() as counted:
        gradients(module, passes, images)
    return counted.ran


@pytest.mark.parametrize("stacked", [False, True])
def test_the_number_of_casts_does_not_grow_with_the_network(stacked: bool) -> None:
    counts = {}
    for name in ("resnet8", "resnet20"):
        net = Stacked([network(name, seed) for seed in range(2)]).module if stacked else network(name)
        images, weights = examples(name, 2 if stacked else 1), len(cast_weights(net))
        before = operations(net, lambda x, net=net: as_autocast(net, x), images)
        now = operations(net, Forward(net, CPU, "bf16"), images)
        cast, together = "aten._to_copy.default", "aten._foreach_copy_.default"
        assert before[cast] - now[cast] == 2 * weights  # there and back
        assert (before[together], now[together]) == (0, 2)
        counts[name] = now[cast]
    assert counts["resnet8"] == counts["resnet20"]


def test_weights_that_learn_nothing_cost_no_gradient() -> None:
    frozen = network("pretrained").train()
    ran = operations(frozen, Forward(frozen, CPU, "bf16"), examples("pretrained"))
    assert ran["aten.convolution_backward.default"] == 0
    assert frozen.head.weight.grad is not None
