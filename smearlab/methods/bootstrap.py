"""Soft bootstrapping: the target mixes the label with the network's own prediction (Reed et al. 2015, equation 6).

The prediction in the target is not held fixed: the loss is `beta` cross-entropy plus (1 - beta) of the entropy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "soft bootstrap"
FAMILY = "robust losses"
PLAIN_AT = {"beta": 1}


def loss(logits: Tensor, labels: Tensor, *, beta: Annotated[float, Field(ge=0, le=1)] = 0.95) -> Tensor:
    """Return -sum_j (beta onehot(y)_j + (1 - beta) p_j) log p_j per example, (B,)."""
    log_p = log_probabilities(logits)
    return -beta * of_label(log_p, labels) - (1.0 - beta) * (log_p.exp() * log_p).sum(dim=1)
