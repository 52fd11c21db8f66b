"""Asymmetric generalised cross-entropy: ((a + 1)^q - (a + p_y)^q) / q (Zhou et al. 2021, section 4.3).

As a nears 0 it is generalised cross-entropy. A larger a bends the loss less, which makes it robust to any noise whose
most frequent label is the true one. The paper's values are a = q = 0.6 for CIFAR-10, a 4 and q 0.2 for MNIST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "asymmetric GCE"
FAMILY = "robust losses"


def loss(
    logits: Tensor,
    labels: Tensor,
    *,
    a: Annotated[float, Field(ge=0.001, le=1000)] = 0.6,
    q: Annotated[float, Field(gt=0, le=10)] = 0.6,
) -> Tensor:
    """Return ((a + 1)^q - (a + p_y)^q) / q per example, (B,).

    By log1p and expm1, which keep the digits near p_y = 1 and at a small q.
    """
    missing = of_label(log_probabilities(logits), labels).expm1() / (a + 1.0)
    return -((a + 1.0) ** q) * (q * missing.log1p()).expm1() / q
