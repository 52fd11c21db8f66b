"""A black square at a random place of each image, also over its edge (DeVries & Taylor 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Generator, Tensor


def augment(images: Tensor, draw: Generator, *, side: Annotated[int, Field(ge=1, le=1024)] = 16) -> Tensor:
    """Return images uint8 (B, C, H, W) with 0 in a square of `side` pixels around a pixel drawn uniformly.

    A square of an even side reaches one pixel further up and left than down and right.
    """
    count, _, height, width = images.shape
    rows = _covered(height, side, torch.randint(height, (count,), generator=draw))
    columns = _covered(width, side, torch.randint(width, (count,), generator=draw))
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0)


def _covered(length: int, side: int, centre: Tensor) -> Tensor:
    """Return which of `length` places a hole around each centre (B,) covers, bool (B, length)."""
    beyond = torch.arange(length) - (centre[:, None] - side // 2)
    return (beyond >= 0) & (beyond < side)


def refusal(channels: int, size: int, *, side: int = 16) -> str | None:
    """Return why a hole of `side` pixels leaves nothing of images of `size` pixels, or None."""
    return f"a hole of {side} pixels can cover images of {size}×{size} whole" if side // 2 >= size else None
