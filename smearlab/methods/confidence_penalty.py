"""Confidence penalty: cross-entropy less `weight` times the entropy of the prediction (Pereyra et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "confidence penalty"
FAMILY = "controls"
PLAIN_AT = {"weight": 0}


def loss(logits: Tensor, labels: Tensor, *, weight: Annotated[float, Field(ge=0)] = 0.1) -> Tensor:
    """Return l(y) + weight * sum_j p_j log p_j per example, (B,)."""
    log_p = log_probabilities(logits)
    return weight * (log_p.exp() * log_p).sum(dim=1) - of_label(log_p, labels)
