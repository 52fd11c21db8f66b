"""Label smoothing: the target is (1 - alpha) onehot(y) + alpha / L over all L classes (Szegedy et al. 2016).

M = (1 - alpha) I + (alpha / L) J. alpha < 0 is negative smoothing (Wei et al. 2022).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, smoothed

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "label smoothing"
FAMILY = "smoothing"
PLAIN_AT = {"alpha": 0}


def loss(logits: Tensor, labels: Tensor, *, alpha: Annotated[float, Field(lt=1)]) -> Tensor:
    """Return (1 - alpha) l(y) + (alpha / L) sum_j l(j) per example, (B,)."""
    return smoothed(log_probabilities(logits), labels, alpha)
