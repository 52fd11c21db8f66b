"""Active-passive loss: normalised cross-entropy plus a robust loss that lowers the other classes (Ma et al. 2020).

Normalised cross-entropy is l(y) / sum_j l(j), in (0, 1): robust, but slow to fit. On a single label both passive
losses are a multiple of 1 - p_y: the reverse cross-entropy with log 0 = -4 is 4 times it, the absolute error twice.
The paper's weights are 1 and 1 for CIFAR-10, 10 and 0.1 for CIFAR-100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "active-passive loss"
FAMILY = "robust losses"
MULTIPLES = {"reverse_cross_entropy": 4.0, "absolute_error": 2.0}


def loss(
    logits: Tensor,
    labels: Tensor,
    *,
    weight: Annotated[float, Field(ge=0)] = 1.0,
    passive_weight: Annotated[float, Field(ge=0)] = 1.0,
    passive: Literal["reverse_cross_entropy", "absolute_error"] = "reverse_cross_entropy",
) -> Tensor:
    """Return weight * log p_y / sum_j log p_j + passive_weight * multiple * (1 - p_y) per example, (B,)."""
    log_p = log_probabilities(logits)
    log_p_y = of_label(log_p, labels)
    return weight * log_p_y / log_p.sum(dim=1) - passive_weight * MULTIPLES[passive] * log_p_y.expm1()
