"""Backward correction: the smearing M = T^-1, of the log of clipped probabilities (Patrini et al. 2017).

The bare formula (`clip: null`) is unbiased under the noise T: sum_y T[i, y] loss(y) = l(i), so in expectation the
clean loss is minimised. Its weights are partly negative, so it is not bounded below: a network that is sure enough
of the right classes earns any reward. The authors' code clips every p to [1e-7, 1 - 1e-7], which bounds the loss;
a probability beyond the clip has no gradient any more. `backward_clipped` is another method: it clips the loss.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import inverse, log_probabilities, weighted

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "backward correction"
FAMILY = "corrections"
NEEDS = "inverse"
PLAIN_AT = {"transition": "identity", "clip": None}
LATER = {"clip": None}


def prepare(transition: Tensor) -> Tensor:
    """Return the inverse of T in float64, (L, L)."""
    return inverse(transition)


def loss(
    logits: Tensor,
    labels: Tensor,
    *,
    transition: Tensor,
    clip: Annotated[float, Field(gt=0, lt=0.5)] | None = 1e-7,
) -> Tensor:
    """Return -sum_j (T^-1)[y, j] log clipped(p_j) per example, (B,); `transition` is what `prepare` made of T.

    clip: every p_j is held in [clip, 1 - clip]; None leaves it as it is. Held as a logarithm, whose bounds keep
    all digits: 1 - 1e-7 itself is 0.99999988 in float32, and 1 - 1e-8 is 1.
    """
    log_p = log_probabilities(logits)
    held = log_p if clip is None else log_p.clamp(math.log(clip), math.log1p(-clip))
    return weighted(held, labels, transition)
