"""Small convolutional network for images from 8×8 to 32×32: two or three strided convolutions, a hidden layer."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from torch import nn

from smearlab.core.errors import UserError
from smearlab.networks._network import Network, initialise_convolutions

if TYPE_CHECKING:
    from pydantic import Field

HIDDEN_PER_WIDTH = 8
STACKS = True


def build(n_classes: int, channels: int, size: int, *, width: Annotated[int, Field(ge=1, le=1024)] = 16) -> Network:
    """Return the network for square images of `size` pixels; the k-th convolution has width·2^(k-1) maps.

    Every convolution (3×3 of stride 2, batch norm, ReLU) halves the image; a third one is there above 16
    pixels. Strides in place of pooling take a third off a step of this size.
    The features are 8·width activations. Raises UserError for images below 4 pixels.
    """
    if size < 4:
        raise UserError(f"network cnn: images of {size}×{size} pixels are too small; at least 4×4 is needed")
    depth = 2 if size <= 16 else 3
    maps = [channels, *(width << k for k in range(depth))]
    layers = [layer for before, after in pairwise(maps) for layer in _stage(before, after)]
    hidden, left = HIDDEN_PER_WIDTH * width, math.ceil(size / 2**depth)
    body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(maps[-1] * left**2, hidden), nn.ReLU(inplace=True))
    initialise_convolutions(body)
    return Network(body, hidden, n_classes)


def _stage(before: int, after: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    ]
