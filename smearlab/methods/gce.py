"""Generalised cross-entropy: (1 - p_y^q) / q, between cross-entropy (q to 0) and mean absolute error (q = 1).

Source: Zhang & Sabuncu 2018, equation 6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "generalised cross-entropy"
FAMILY = "robust losses"


def loss(logits: Tensor, labels: Tensor, *, q: Annotated[float, Field(gt=0, le=1)] = 0.7) -> Tensor:
    """Return (1 - p_y^q) / q per example, (B,), from log p_y so that a small p_y keeps its digits."""
    return -(q * of_label(log_probabilities(logits), labels)).expm1() / q
