"""bf16 on a processor is refused where a strided convolution would see single pixels, and nowhere else."""

from types import SimpleNamespace
from typing import Any

import pytest

from smearlab.core.errors import UserError
from smearlab.training.single_pixels import check_bf16


def recipe(name: str, precision: str = "bf16") -> Any:
    return SimpleNamespace(precision=precision, architecture={"name": name})


@pytest.mark.parametrize(("name", "side"), [("resnet18", 4), ("resnet34", 4), ("resnet50", 8), ("resnet50", 16)])
def test_it_is_refused_in_one_line(name: str, side: int) -> None:
    with pytest.raises(UserError, match=rf"bf16.*{name} shrinks images of {side}×{side} to single pixels") as error:
        check_bf16(recipe(name), 10, (3, side))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "side"),
    [("resnet18", 5), ("resnet50", 17), ("resnet50", 32), ("resnet8", 4), ("resnet56", 4), ("cnn", 4)],
)
def test_larger_images_and_shallower_networks_are_taken(name: str, side: int) -> None:
    check_bf16(recipe(name), 10, (1, side))


def test_fp32_and_features_are_taken() -> None:
    check_bf16(recipe("resnet50", "fp32"), 10, (3, 8))
    check_bf16(recipe("mlp"), 10, (7,))
