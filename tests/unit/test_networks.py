"""Networks: sizes as published, features and head that make up the output, initialisation by one seed."""

import pytest
import torch

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.grid.definitions import form

NEEDED = {"pretrained": {"of": "resnet18", "weights": ""}}  # options without a default


def build(name: str, n_classes: int = 10, channels: int = 3, size: int = 32, **options: int) -> torch.nn.Module:
    shape = (channels, size) if form("networks", name) == "images" else (channels,)
    return registry.load("networks", name).build(n_classes, *shape, **NEEDED.get(name, {}), **options)


def n_parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66), ("resnet56", 0.85)]
)
def test_parameter_counts_are_those_of_he_et_al_table_6(name: str, millions: float) -> None:
    assert round(n_parameters(build(name)) / 1e6, 2) == millions


def test_resnet8_counts_by_hand() -> None:
    convolutions = 9 * (3 * 16 + 2 * 16 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64)
    norms = 2 * (16 * 3 + 32 * 2 + 64 * 2)
    assert n_parameters(build("resnet8")) == convolutions + norms + 65 * 10


def test_the_shortcuts_of_the_cifar_resnets_have_no_parameters() -> None:
    wide = build("resnet8", width=32)
    assert not [name for name, _ in wide.named_parameters() if "shortcut" in name]
    assert wide.head.in_features == 128


@pytest.mark.parametrize(("name", "millions"), [("resnet18", 11.17), ("resnet34", 21.28)])
def test_small_image_torchvision_networks(name: str, millions: float) -> None:
    network = build(name)
    assert round(n_parameters(network) / 1e6, 2) == millions
    maps = network.body.conv1(torch.zeros(1, 3, 32, 32))
    assert network.body.maxpool(maps).shape == (1, 64, 32, 32)


def test_resnet50_is_torchvisions_with_another_head() -> None:
    torch.manual_seed(0)
    network = build("resnet50", n_classes=1000)
    assert n_parameters(network) == 25_557_032
    assert build("resnet50", n_classes=7, channels=1).body.conv1.in_channels == 1


@pytest.mark.parametrize("name", ["cnn", "resnet8", "resnet18"])
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32), (1, 28)])
def test_logits_are_the_head_of_the_features(name: str, channels: int, size: int) -> None:
    torch.manual_seed(0)
    network = build(name, n_classes=7, channels=channels, size=size).eval()
    images = torch.randn(2, channels, size, size)
    features = network.features(images)
    assert features.shape == (2, network.head.in_features)
    torch.testing.assert_close(network(images), network.head(features), rtol=0, atol=0)


@pytest.mark.parametrize("name", registry.names("networks"))
def test_the_global_seed_decides_all_weights(name: str) -> None:
    states = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        states.append(build(name).state_dict())
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert not torch.equal(states[0]["head.weight"], states[2]["head.weight"])


def test_a_linear_network_is_its_head() -> None:
    network, features = build("linear", channels=5), torch.randn(4, 5)
    assert torch.equal(network.features(features), features) and n_parameters(network) == 6 * 10


def test_the_hidden_layers_of_an_mlp_by_hand() -> None:
    network, inputs = build("mlp", n_classes=3, channels=5, width=4, layers=2), torch.randn(2, 5)
    assert n_parameters(network) == (5 + 1) * 4 + (4 + 1) * 4 + (4 + 1) * 3
    hidden = inputs
    for i in (0, 2):
        hidden = torch.relu(hidden @ network.body[i].weight.T + network.body[i].bias)
    torch.testing.assert_close(network.features(inputs), hidden)


@pytest.mark.parametrize("stride", [1, 2])
def test_option_a_shortcut_subsamples_and_pads_with_zeros(stride: int) -> None:
    from smearlab.networks._cifar_resnet import Block

    block = Block(4, 8, stride).eval()
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    maps = torch.arange(2 * 4 * 6 * 6).reshape(2, 4, 6, 6) / 100
    out = block(maps)
    torch.testing.assert_close(out[:, 2:6], maps[:, :, ::stride, ::stride], rtol=0, atol=0)
    assert not out[:, :2].any()
    assert not out[:, 6:].any()


def test_too_small_images_are_refused() -> None:
    with pytest.raises(UserError, match="too small"):
        build("cnn", size=3)
