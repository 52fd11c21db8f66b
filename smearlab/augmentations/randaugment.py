"""Operations drawn for each image, all of one magnitude (Cubuk et al. 2020), computed by torchvision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import torch
from torchvision.transforms.v2 import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import Field
    from torch import Generator, Tensor

MOST = 30  # the strongest magnitude


def augment(
    images: Tensor,
    draw: Generator,
    *,
    operations: Annotated[int, Field(ge=1, le=14)] = 2,
    magnitude: Annotated[int, Field(ge=0, le=30)] = 9,
) -> Tensor:
    """Return images uint8 (B, C, H, W), C 1 or 3, after so many operations, one behind the other.

    Each image draws its own, uniformly of the 14 with replacement, and the sign of those that have one. What moves out
    of the image is lost, what moves in is black; pixels are those nearest.
    """
    images = images.clone()
    for _ in range(operations):
        kinds = torch.randint(len(OPERATIONS), (len(images),), generator=draw)
        signs = 1 - 2 * torch.randint(2, (len(images),), generator=draw)
        for kind, operation in enumerate(OPERATIONS.values()):
            for sign in (1, -1):
                chosen = ((kinds == kind) & (signs == sign)).nonzero()[:, 0]
                if len(chosen):
                    images[chosen] = operation(images[chosen], sign * magnitude / MOST)
    return images


def refusal(channels: int, size: int, *, operations: int = 2, magnitude: int = 9) -> str | None:
    """Return why images of so many channels and pixels a side cannot be augmented, or None."""
    if channels not in (1, 3):
        return f"it changes images of 1 or 3 channels, not {channels}"
    return f"sharpness needs 3 pixels a side, not {size}" if size < 3 else None


def _sheared(images: Tensor, along: float, down: float) -> Tensor:
    """Return images sheared about their upper left corner, by these slopes."""
    slopes = [math.degrees(math.atan(slope)) for slope in (along, down)]
    return F.affine(images, angle=0.0, translate=[0, 0], scale=1.0, shear=slopes, center=[0.0, 0.0])


def _translated(images: Tensor, right: float, down: float) -> Tensor:
    """Return images moved by whole pixels, towards 0, from these parts of their width and height."""
    pixels = [int(right * images.shape[3]), int(down * images.shape[2])]
    return F.affine(images, angle=0.0, translate=pixels, scale=1.0, shear=[0.0, 0.0])


def _posterized(images: Tensor, strength: float) -> Tensor:
    return F.posterize(images, bits=8 - round(4 * abs(strength)))


def _solarized(images: Tensor, strength: float) -> Tensor:
    """Return images with the values from a threshold on inverted; torchvision inverts 255 at no strength."""
    return F.solarize(images, threshold=255 * (1 - abs(strength))) if strength else images


# By a signed strength in [-1, 1], the share of the strongest magnitude; 0 changes nothing but in the last two.
OPERATIONS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "identity": lambda images, s: images,
    "shear_x": lambda images, s: _sheared(images, 0.3 * s, 0.0),
    "shear_y": lambda images, s: _sheared(images, 0.0, 0.3 * s),
    "translate_x": lambda images, s: _translated(images, 150 / 331 * s, 0.0),
    "translate_y": lambda images, s: _translated(images, 0.0, 150 / 331 * s),
    "rotate": lambda images, s: F.rotate(images, 30 * s),
    "brightness": lambda images, s: F.adjust_brightness(images, 1 + 0.9 * s),
    "colour": lambda images, s: F.adjust_saturation(images, 1 + 0.9 * s),  # grey images have none to change
    "contrast": lambda images, s: F.adjust_contrast(images, 1 + 0.9 * s),
    "sharpness": lambda images, s: F.adjust_sharpness(images, 1 + 0.9 * s),
    "posterize": _posterized,
    "solarize": _solarized,
    "autocontrast": lambda images, s: F.autocontrast(images),
    "equalize": lambda images, s: F.equalize(images),
}
