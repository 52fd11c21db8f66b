"""Symmetric cross-entropy: cross-entropy plus reverse cross-entropy with log 0 set to `log_zero` (Wang et al. 2019).

The reverse term -sum_j p_j log onehot(y)_j is -log_zero * (1 - p_y). The paper's weights are 0.1 and 1 for
CIFAR-10 and 6 and 0.1 for CIFAR-100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "symmetric cross-entropy"
FAMILY = "robust losses"


def loss(
    logits: Tensor,
    labels: Tensor,
    *,
    weight: Annotated[float, Field(ge=0)] = 0.1,
    reverse_weight: Annotated[float, Field(ge=0)] = 1.0,
    log_zero: Annotated[float, Field(lt=0)] = -4.0,
) -> Tensor:
    """Return weight * l(y) + reverse_weight * (-log_zero) * (1 - p_y) per example, (B,)."""
    log_p_y = of_label(log_probabilities(logits), labels)
    return reverse_weight * log_zero * log_p_y.expm1() - weight * log_p_y
