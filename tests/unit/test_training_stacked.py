"""A block trained as one stacked network: what separate training gives, within rounding; kills leave no trace."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import ADAMW, FILES, job, method, outcome, recipe, train
from torch import nn

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import Replicate
from smearlab.grid.cells import load_grid
from smearlab.grid.resolve import check_stacked
from smearlab.training import block as blocks
from smearlab.training.block import Interrupted
from smearlab.training.correction import Corrections
from smearlab.training.stacking import Stacked, clip_each

T = [[0.7, 0.3, 0.0], [0.0, 0.7, 0.3], [0.3, 0.0, 0.7]]
NETWORKS = [name for name in registry.names("networks") if registry.describe("networks", name).constants.get("STACKS")]


def networks(name: str) -> list[nn.Module]:
    """Two networks in float64; the small ones have a width, and get a small one."""
    options = {} if name in ("resnet18", "resnet50") else {"width": 4}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len(name))
        return [registry.load("networks", name).build(5, 2, 8, **options).double() for _ in range(2)]


@pytest.mark.parametrize("name", ["cnn", "resnet8", "resnet20", "resnet18", "resnet50"])
def test_a_stacked_network_is_its_networks_in_float64(name: str) -> None:
    alone, stacked_ones = networks(name), networks(name)
    stacked = Stacked(stacked_ones)
    for network in alone:
        network.train()
    stacked.train(True)
    images = torch.randn(2, 6, 2, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = stacked.logits(images.transpose(0, 1).flatten(1, 2))
    apart = torch.stack([network(image) for network, image in zip(alone, images, strict=True)])
    torch.testing.assert_close(together, apart, rtol=1e-9, atol=1e-9)
    if name == "resnet50":  # its gradient on a few small images is all rounding
        return
    weights = torch.linspace(-1, 1, together.numel(), dtype=torch.float64).view_as(together)
    (together * weights).sum().backward(), (apart * weights).sum().backward()
    for key, joined in stacked.parameters.items():
        own = torch.cat([network.get_parameter(key).grad for network in alone])
        torch.testing.assert_close(joined.grad, own, rtol=1e-7, atol=1e-9)
    for one, other in zip(alone, stacked_ones, strict=True):
        for key, buffer in one.named_buffers():
            if buffer.dim():
                torch.testing.assert_close(other.get_buffer(key), buffer)
    stacked.train(False)
    quiet = torch.stack([network.eval()(image) for network, image in zip(stacked_ones, images, strict=True)])
    torch.testing.assert_close(stacked.logits(images.transpose(0, 1).flatten(1, 2)), quiet, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_networks_of_features_are_stacked_too(name: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ones = [registry.load("networks", name).build(3, 5).double() for _ in range(3)]
    vectors = torch.randn(3, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    apart = torch.stack([network(own) for network, own in zip(ones, vectors, strict=True)])
    together = Stacked(ones).logits(vectors.transpose(0, 1).flatten(1))
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-12)


def test_every_network_that_says_so_can_be_stacked() -> None:
    assert set(NETWORKS) == set(registry.names("networks")) - {"pretrained"}


def test_a_network_with_an_unknown_part_is_refused_in_one_line() -> None:
    parts = [nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)) for _ in range(2)]
    with pytest.raises(UserError, match=r"^stacked: a network with a LayerNorm cannot be stacked"):
        Stacked(parts)


def test_gradients_are_clipped_replicate_by_replicate() -> None:
    draw = torch.Generator().manual_seed(1)
    gradients = [torch.randn(6, 5, generator=draw), torch.randn(3, generator=draw) * 9]
    expected = [gradient.clone().chunk(3) for gradient in gradients]
    clip_each(gradients, 3, 2.0)
    for k in range(3):
        own = [nn.Parameter(torch.zeros_like(parts[k])) for parts in expected]
        for parameter, parts in zip(own, expected, strict=True):
            parameter.grad = parts[k].clone()
        nn.utils.clip_grad_norm_(own, 2.0)
        for gradient, parameter in zip(gradients, own, strict=True):
            torch.testing.assert_close(gradient.chunk(3)[k], parameter.grad)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({}, None),
        ({"optimiser": {"name": "adamw", "learning_rate": 0.01}}, None),
        ({"stacked": "some"}, "stacked"),
    ],
)
def test_what_a_config_may_stack(changes: dict[str, Any], words: str | None) -> None:
    given = {"architecture": "cnn", "epochs": 1, "stacked": True} | changes
    content = {
        "name": "stacks",
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "recipes": {"small": given},
        "methods": ["cross_entropy"],
    }
    if words is None:
        (cell,) = load_grid(content).cells.values()
        (eager,) = load_grid(content | {"recipes": {"small": {**given, "stacked": False}}}).cells.values()
        assert cell.recipe.settings.stacked and cell.key != eager.key
        return
    with pytest.raises(UserError, match=words) as error:
        load_grid(content)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind, key, name", [("networks", "architecture", "cnn"), ("optimisers", "optimiser", "sgd")])
def test_an_entry_that_does_not_say_so_is_not_stacked(
    monkeypatch: pytest.MonkeyPatch, kind: str, key: str, name: str
) -> None:
    described = registry.describe

    def silent(of: str, entry: str) -> Any:
        found = described(of, entry)
        own = {k: v for k, v in found.constants.items() if (k, of, entry) != ("STACKS", kind, name)}
        return replace(found, constants=own)

    monkeypatch.setattr(registry, "describe", silent)
    settings = {"architecture": {"name": "cnn"}, "optimiser": {"name": "sgd"}}
    with pytest.raises(UserError, match=rf"recipes\.small\.stacked: {key} {name} cannot be stacked; those that can: "):
        check_stacked(settings, "recipes.small")


def test_a_later_key_is_not_stacked_before_somebody_has_shown_it() -> None:
    settings = {"architecture": {"name": "cnn"}, "optimiser": {"name": "sgd"}, "stacked": True, "mixup": 0.2}
    with pytest.raises(UserError, match=r"recipes\.small\.stacked: does not go with mixup; leave one out"):
        check_stacked(settings, "recipes.small")


def stacked_job(role: str = "teacher", count: int = 3, stacked: bool = True, **changes: Any) -> Any:
    settings = changes.pop("recipe", {})
    return job(role, count, recipe=recipe(stacked=stacked, **settings), **changes)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / FILES["weights"])


def both(tmp_path: Path, role: str = "teacher", teachers: Path | None = None, **changes: Any) -> tuple[Any, Any]:
    corrections = changes.pop("corrections", Corrections())
    found = []
    for stacked in (False, True):
        folder = tmp_path / f"{role}-{stacked}"
        folder.mkdir(parents=True)
        train(stacked_job(role, stacked=stacked, **changes), folder, teachers, corrections)
        found.append(folder)
    return found[0], found[1]


def assert_near(one: Path, other: Path) -> None:
    a, b = weights(one), weights(other)
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        torch.testing.assert_close(b[name], tensor, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", registry.names("methods"))
def test_stacked_and_separate_training_agree(tmp_path: Path, name: str) -> None:
    described = registry.load("methods", name)
    needs = "transition" in getattr(described, "loss", train).__code__.co_varnames
    changes: dict[str, Any] = {"method": method(name, alpha=0.2, options=OPTIONS.get(name, {}))}
    if needs:
        given = [T, (0.9 * np.eye(3) + 0.1 / 3).tolist(), T]
        changes |= {"corrections": Corrections(transitions=given, refusals=[None] * 3)}
    assert_near(*both(tmp_path, **changes))


OPTIONS: dict[str, dict[str, Any]] = {
    "weight_decay": {"decay": 0.01},
    "smoothing_matrix": {"matrix": str(T)},
}


@pytest.mark.parametrize(
    "changes",
    [
        {"optimiser": ADAMW},
        {"clip_norm": 0.5, "loss_scale": 3.0},
        {"augmentation": None, "steps": 10, "epochs": None},
        {"architecture": {"name": "resnet8", "width": 2}, "history_examples": 20},
    ],
)
def test_recipes_agree_too(tmp_path: Path, changes: dict[str, Any]) -> None:
    if "augmentation" in changes:
        changes["augmentation"] = {"crop": 0, "flip": False}
    assert_near(*both(tmp_path, recipe=changes))


@pytest.mark.parametrize("view, beta", [("same", 0.5), ("fixed", 1.0)])
def test_students_agree(tmp_path: Path, view: str, beta: float) -> None:
    taught = tmp_path / "taught"
    taught.mkdir()
    train(stacked_job(), taught)
    assert_near(*both(tmp_path, "student", taught, view=view, beta=beta))


def test_a_replicate_depends_on_no_other(tmp_path: Path) -> None:
    """The second place holds another replicate, or one that is never trained: the others have the same bytes."""
    found = {}
    seeds = {
        "as-is": [Replicate(0, 0), Replicate(1, 1), Replicate(2, 2)],
        "other": [Replicate(0, 0), Replicate(7, 7), Replicate(2, 2)],
        "refused": [Replicate(0, 0), Replicate(1, 1), Replicate(2, 2)],
    }
    for name, replicates in seeds.items():
        folder = tmp_path / name
        folder.mkdir()
        refusals = [None, "no T" if name == "refused" else None, None]
        corrections = Corrections(transitions=[T] * 3, refusals=refusals)
        wanted = replace(stacked_job(method=method("forward")), replicates=replicates)
        train(wanted, folder, corrections=corrections)
        found[name] = weights(folder)
    for place in ("0/", "2/"):
        for key in (key for key in found["as-is"] if key.startswith(place)):
            assert torch.equal(found["as-is"][key], found["other"][key])
            assert torch.equal(found["as-is"][key], found["refused"][key])
    assert not [key for key in found["refused"] if key.startswith("1/")]


def test_a_replicate_that_diverges_harms_no_other(tmp_path: Path) -> None:
    huge = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]
    bad = [[float("nan")] * 3] * 3
    results = {}
    for name, second in (("fine", huge), ("bad", bad)):
        folder = tmp_path / name
        folder.mkdir()
        corrections = Corrections(transitions=[T, second, T], refusals=[None] * 3)
        results[name] = train(stacked_job(method=method("forward")), folder, corrections=corrections)
    assert [r.entry["status"] for r in results["bad"].replicates] == ["finished", "diverged", "finished"]
    one, other = weights(tmp_path / "fine"), weights(tmp_path / "bad")
    assert all(torch.equal(one[key], other[key]) for key in other) and other


@pytest.mark.parametrize("role, optimiser", [("teacher", None), ("student", ADAMW)])
def test_stopped_at_any_step_it_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, optimiser: Any
) -> None:
    taught = tmp_path / "taught"
    taught.mkdir()
    train(stacked_job(), taught)
    wanted = stacked_job(role, recipe={"optimiser": optimiser} if optimiser else {}, method=method("elr"))
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    whole.mkdir(), stopped.mkdir()
    train(wanted, whole, taught)
    for after in (2, 1, 3, 1, 4, 2, 1):  # steps and pauses between measurements, each from the checkpoint before
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "stop_signals", lambda after=after: StopAfter(after))
            try:
                train(wanted, stopped, taught)
            except Interrupted:
                continue
            break
    train(wanted, stopped, taught)
    assert outcome(stopped) == outcome(whole)


class StopAfter:
    """A stop signal that comes after some turns of the loop."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    def __enter__(self) -> "StopAfter":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def is_set(self) -> bool:
        self.turns -= 1
        return self.turns <= 0
