"""Jensen-Shannon loss: the divergence of label and prediction, between cross-entropy and absolute error.

Generalised Jensen-Shannon (Englesson & Azizpour 2021, equation 3) with two distributions, the label and the
prediction: without the predictions of augmented copies, and so without the paper's consistency term. Scaled by
-(1 - w) log(1 - w), w = `label_weight`: cross-entropy as w nears 0, half the absolute error (1 - p_y) as it nears 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import torch

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "Jensen-Shannon loss"
FAMILY = "robust losses"


def loss(logits: Tensor, labels: Tensor, *, label_weight: Annotated[float, Field(ge=0.001, le=0.999)] = 0.5) -> Tensor:
    """Return (w KL(onehot(y) || m) + (1 - w) KL(p || m)) / scale per example, (B,), with m = w onehot(y) + (1 - w) p.

    All classes but y have p_j / m_j = 1 / (1 - w), so p_y alone decides. Bounds on w keep the digits of float32.
    """
    log_p = of_label(log_probabilities(logits), labels)
    p, log_rest = log_p.exp(), math.log1p(-label_weight)
    log_m = torch.logaddexp(log_p + log_rest, torch.full_like(log_p, math.log(label_weight)))
    prediction = p * (log_p - log_m) + log_p.expm1() * log_rest
    return (label_weight * log_m - (1.0 - label_weight) * prediction) / ((1.0 - label_weight) * log_rest)
