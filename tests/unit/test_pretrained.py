"""Networks that begin with weights from a file: refused in one line, begun with them, bodies frozen or slower."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import tiny_training
import torch
from torchvision.models import resnet18
from torchvision.transforms.functional import normalize, resize

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.grid.cells import Cell, load_grid
from smearlab.grid.jobs import training_job
from smearlab.networks import pretrained
from smearlab.store.files import sha256_file
from smearlab.store.kept_files import keep, kept
from smearlab.training.batches import channel_statistics, on_device
from smearlab.training.initial import begin, optimiser_of

WEIGHTS = "resnet18.pth"
CPU = torch.device("cpu")
State = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def state() -> State:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return resnet18(weights=None).state_dict()


def content(**architecture: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    np.savez("own.npz", images=rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8), labels=np.arange(40) % 2)
    network = {"name": "pretrained", "of": "resnet18", "weights": WEIGHTS, **architecture}
    return {
        "name": "own",
        "datasets": {"own": {"kind": "arrays", "path": "own.npz"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "recipes": {"fine": {"architecture": network, "epochs": 1}},
        "methods": ["cross_entropy"],
    }


def without(state: State, name: str) -> State:
    return {key: tensor for key, tensor in state.items() if key != name}


WRONG: dict[str, Any] = {
    "no such file": lambda state: None,
    "no state_dict of torch can be read from it": lambda state: b"not weights",
    "holds no state_dict": lambda state: [1, 2],
    "save its entry 'state_dict' alone": lambda state: {"state_dict": state, "epoch": 3},
    "conv1.weight is of shape (64, 3, 3, 3), not (64, 3, 7, 7)": lambda s: {
        **s,
        "conv1.weight": torch.zeros(64, 3, 3, 3),
    },
    "its names begin with 'module.'": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "1 of its tensors are none of resnet18's, first layer1.0.conv3.weight": lambda s: {
        **s,
        "layer1.0.conv3.weight": torch.zeros(1),
    },
    "bn1.bias is not among its 121 tensors": lambda s: without(s, "bn1.bias"),
    "bn1.bias holds values that are not finite": lambda s: {**s, "bn1.bias": torch.full((64,), torch.nan)},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_file_is_refused_in_one_line_before_anything_runs(message: str, state: State) -> None:
    given = WRONG[message](state)
    if isinstance(given, bytes):
        Path(WEIGHTS).write_bytes(given)
    elif given is not None:
        torch.save(given, WEIGHTS)
    with pytest.raises(UserError) as error:
        load_grid(content())
    said = str(error.value)
    assert said.startswith("config: recipes.fine.architecture.weights: resnet18.pth: ")
    assert message in said and "\n" not in said


def test_a_file_of_one_network_is_none_of_another_though_it_was_seen(state: State) -> None:
    torch.save(state, WEIGHTS)
    load_grid(content())
    with pytest.raises(UserError, match="not the weights of resnet34: layer1"):
        load_grid(content(of="resnet34"))


def test_a_file_that_would_run_code_does_not(tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"conv1.weight": Runs()}, WEIGHTS)
    with pytest.raises(UserError, match="no state_dict of torch"):
        load_grid(content())
    assert not (tmp_path / "ran").exists()


def only_cell(content: dict[str, Any]) -> Cell:
    (cell,) = (c for c in load_grid(content).cells.values() if c.labels.rate)
    return cell


def test_a_file_is_known_by_its_contents_wherever_it_lies(state: State) -> None:
    torch.save(state, WEIGHTS)
    first = only_cell(content())
    digest = sha256_file(WEIGHTS)
    assert training_job(first, "paired-0").recipe.architecture["weights"] == digest
    Path(WEIGHTS).rename("moved.pth")
    assert only_cell(content(weights="moved.pth")).key == first.key
    assert only_cell(content(weights="moved.pth", body_rate=0.0)).key != first.key
    assert kept(digest, "resnet18") == Path("moved.pth").resolve()
    torch.save({**state, "bn1.bias": torch.ones(64)}, "moved.pth")
    assert only_cell(content(weights="moved.pth")).key != first.key
    with pytest.raises(UserError, match="is not there any more"):
        kept(digest, "resnet18")


def architecture(state: State, **options: Any) -> dict[str, Any]:
    torch.save(state, WEIGHTS)
    digest = sha256_file(WEIGHTS)
    keep(WEIGHTS, digest, "resnet18")
    return {"name": "pretrained", "of": "resnet18", "weights": digest, "body_rate": 0.1, "input_size": None, **options}


def begun(chosen: dict[str, Any], images: np.ndarray, n_classes: int = 5) -> Any:
    network = registry.build("networks", chosen, n_classes, images.shape[-1], images.shape[1])
    begin(network, chosen, channel_statistics(images))
    return network.eval()


@pytest.mark.parametrize("input_size", [None, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_body_sees_is_what_torchvision_would_show_it(
    channels: int, input_size: int | None, state: State
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, channels), dtype=np.uint8)
    network = begun(architecture(state, input_size=input_size), images)
    plain = resnet18(weights=None)
    plain.load_state_dict(state)
    plain.fc = torch.nn.Identity()
    shown = torch.from_numpy(images).permute(0, 3, 1, 2).expand(-1, 3, -1, -1) / 255
    shown = normalize(shown, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    shown = shown if input_size is None else resize(shown, [input_size, input_size], antialias=True)
    given = on_device(images, 0, channel_statistics(images), CPU).plain(slice(None))
    with torch.no_grad():
        torch.testing.assert_close(network.features(given), plain.eval()(shown), rtol=1e-4, atol=1e-4)
    assert network.head.weight.shape == (5, 512)


def test_a_file_without_counters_or_head_and_one_of_safetensors_give_the_same(state: State) -> None:
    early = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked") and not k.startswith("fc.")}
    images = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    body = begun(architecture(early), images).body.state_dict()
    assert all(torch.equal(body[name], tensor) for name, tensor in early.items())
    safetensors.torch.save_file(state, "same.safetensors")
    load_grid(content(weights="same.safetensors"))
    chosen = {**architecture(state), "weights": sha256_file("same.safetensors")}
    assert torch.equal(begun(chosen, images).body.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])


def test_images_of_two_channels_are_refused() -> None:
    with pytest.raises(UserError, match=r"it takes grey ones \(1\) and colour \(3\)"):
        pretrained.build(2, 2, 32, of="resnet18", weights="")


def step(network: torch.nn.Module) -> State:
    """Return how each parameter moves in one step down the gradient of 1 at the rate 0.5."""
    sgd = {"name": "sgd", "learning_rate": 0.5, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    optimiser = optimiser_of(network, sgd, CPU)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    for p in network.parameters():
        p.grad = torch.ones_like(p) if p.requires_grad else None
    optimiser.learning_rate.fill_(0.5)
    optimiser.step()
    return {name: p.detach() - before[name] for name, p in network.named_parameters()}


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_the_body_learns_at_its_own_rate(rate: float) -> None:
    network = pretrained.build(2, 3, 32, of="resnet18", weights="", body_rate=rate)
    for name, moved in step(network).items():
        expected = -0.5 * (1.0 if name.startswith("head.") else rate)
        torch.testing.assert_close(moved, torch.full_like(moved, expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("chosen", [tiny_training.SGD, tiny_training.ADAMW], ids=lambda chosen: chosen["name"])
def test_both_optimisers_state_goes_into_a_checkpoint_and_back(chosen: dict[str, Any]) -> None:
    def network() -> torch.nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            small = torch.nn.ModuleDict({"body": torch.nn.Linear(3, 2), "head": torch.nn.Linear(2, 2)})
        small.body_rate = 0.1  # type: ignore[assignment]
        return small

    def descend(optimiser: Any, of: torch.nn.Module, k: int) -> None:
        for p in of.parameters():
            p.grad = torch.full_like(p, 0.5 + k)
        optimiser.learning_rate.fill_(0.1)
        optimiser.step()

    unbroken, broken, continued = network(), network(), network()
    first, second, third = (optimiser_of(n, chosen, CPU) for n in (unbroken, broken, continued))
    for k in range(4):
        descend(first, unbroken, k)
    for k in range(2):
        descend(second, broken, k)
    third.restore({name: tensor.clone() for name, tensor in second.state().items()})
    continued.load_state_dict(broken.state_dict())
    for k in range(2, 4):
        descend(third, continued, k)
    for p, q in zip(unbroken.parameters(), continued.parameters(), strict=True):
        assert torch.equal(p, q)


def tiny(state: State, tmp_path: Path, count: int = 1, **changes: Any) -> Any:
    recipe = tiny_training.recipe(**{"epochs": 1, "snapshots": 0, **changes})
    training = tiny_training.training_data(20, 4, channels=3)
    return tiny_training.train(tiny_training.job(count=count, recipe=recipe), tmp_path, training=training)


@pytest.mark.parametrize("changes", [{}, {"sam_radius": 0.05, "clip_norm": 1.0}])
@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_a_frozen_body_comes_back_as_it_was(rate: float, changes: dict, state: State, tmp_path: Path) -> None:
    found = tiny(state, tmp_path, architecture=architecture(state, body_rate=rate), **changes)
    weights = found.replicates[0].weights
    kept_same = [
        torch.equal(weights[f"last/body.{name}"], state[name]) for name in ("conv1.weight", "bn1.running_mean")
    ]
    assert kept_same == [rate == 0] * 2
