"""A rectangle of noise at a random place of some of the images (Zhong et al. 2020)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import torch

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Generator, Tensor

ATTEMPTS = 100  # rectangles that are drawn for an image until one fits into it; else it stays as it is


def augment(
    images: Tensor,
    draw: Generator,
    *,
    probability: Annotated[float, Field(ge=0, le=1)] = 0.5,
    area_min: Annotated[float, Field(gt=0, lt=1)] = 0.02,
    area_max: Annotated[float, Field(gt=0, lt=1)] = 0.4,
    aspect_min: Annotated[float, Field(gt=0, le=1)] = 0.3,
) -> Tensor:
    """Return images uint8 (B, C, H, W), each with this probability with values drawn uniformly in a rectangle.

    The rectangle's share of the area is uniform in [area_min, area_max], its height over its width in [aspect_min,
    1 / aspect_min]; it lies within the image. Each image draws its own.
    """
    count, _, height, width = images.shape
    erased = torch.rand(count, generator=draw) < probability
    sizes = _sizes(count, (height, width), draw, (area_min, area_max), (aspect_min, 1 / aspect_min))
    covered = [
        _covered(side, sizes[:, k], torch.rand(count, generator=draw, dtype=torch.float64))
        for k, side in enumerate((height, width))
    ]
    holes = covered[0][:, :, None] & covered[1][:, None, :] & erased[:, None, None]
    noise = torch.randint(256, images.shape, generator=draw, dtype=torch.uint8)
    return torch.where(holes[:, None], noise, images)


def _sizes(
    count: int,
    sides: tuple[int, int],
    draw: Generator,
    areas: tuple[float, float],
    aspects: tuple[float, float],
) -> Tensor:
    """Return height and width, int64 (B, 2), of the first rectangle of each image that fits; 0 where none does."""
    uniform = torch.rand((2, count, ATTEMPTS), generator=draw, dtype=torch.float64)
    area, aspect = ((low + (high - low) * u) for (low, high), u in zip((areas, aspects), uniform, strict=True))
    area = area * sides[0] * sides[1]
    drawn = torch.stack([(area * aspect).sqrt().round(), (area / aspect).sqrt().round()], dim=-1).long()
    fits = ((drawn > 0) & (drawn <= torch.tensor(sides))).all(dim=-1)
    first = fits.int().argmax(dim=1)
    return drawn[torch.arange(count), first] * fits.any(dim=1)[:, None]


def _covered(length: int, size: Tensor, uniform: Tensor) -> Tensor:
    """Return which of `length` places a hole of each size (B,) covers where it begins uniformly, bool (B, length)."""
    first = (uniform * (length - size + 1)).long()
    beyond = torch.arange(length) - first[:, None]
    return (beyond >= 0) & (beyond < size[:, None])


def refusal(
    channels: int,
    size: int,
    *,
    probability: float = 0.5,
    area_min: float = 0.02,
    area_max: float = 0.4,
    aspect_min: float = 0.3,
) -> str | None:
    """Return why no such rectangle can be drawn in images of so many channels and pixels a side, or None."""
    if area_max < area_min:
        return f"area_max is {area_max}, below area_min, {area_min}"
    if math.sqrt(area_max) * size < 0.5:
        return f"a share of {area_max} of {size}×{size} pixels is less than a pixel"
    return None
