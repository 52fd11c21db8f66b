"""A cosine that begins anew, each cycle `growth` times as long as the one before (Loshchilov & Hutter 2017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    from pydantic import Field


def factor(
    step: int,
    total: int,
    warm: int,
    *,
    cycles: Annotated[int, Field(ge=1, le=1000)] = 2,
    growth: Annotated[float, Field(ge=1, le=10)] = 1.0,
) -> float:
    """Return (1 + cos(pi t)) / 2, with t the part of the present cycle that is over, in [0, 1).

    The cycles fill what the warm-up leaves of training: their lengths are in the ratios 1, growth, growth², ….
    """
    lengths = [growth**k for k in range(cycles)]
    left = (step - warm) * math.fsum(lengths) / (total - warm)
    for length in lengths:
        if left < length:
            return 0.5 * (1 + math.cos(math.pi * left / length))
        left -= length
    return 0.0
