"""What bf16 cannot train on processors: a strided convolution over single pixels.

There torch leaves the weights' gradient unwritten wherever no pixel meets a weight, and what lay in that memory is
learnt from (findings/torch-bf16-single-pixel.sh: 2.15 with AVX-512; right with AVX2, in fp32, on images of 2×2).
"""

from typing import Any

import torch
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import RecipeSettings


def check_bf16(recipe: RecipeSettings, n_classes: int, shape: tuple[int, ...]) -> None:
    """Raise UserError if a recipe's network takes strided convolutions of single pixels in bf16.

    shape: of an input, as networks are built for it: channels and side of images, or the number of features.
    """
    if recipe.precision != "bf16" or len(shape) != 2:
        return
    channels, side = shape
    with torch.device("meta"):  # shapes alone: neither memory nor time
        network = registry.build("networks", recipe.architecture, n_classes, *shape).eval()
        wrong = _strides_over_single_pixels(network, torch.empty(1, channels, side, side))
    if wrong:
        raise UserError(
            f"precision: bf16 on a processor: {recipe.architecture['name']} shrinks images of {side}×{side} to single "
            "pixels and strides on, of which gradients are not numbers; take fp32, larger images or a smaller network"
        )


def _strides_over_single_pixels(network: nn.Module, images: Tensor) -> bool:
    found: list[bool] = []

    def look(convolution: Any, seen: tuple[Tensor]) -> None:
        sizes = zip(seen[0].shape[2:], convolution.kernel_size, convolution.stride, strict=True)
        found.append(any(size == 1 and kernel > 1 and stride > 1 for size, kernel, stride in sizes))

    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_pre_hook(look)
    with torch.no_grad():
        network(images)
    return any(found)
