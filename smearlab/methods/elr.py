"""Early-learning regularisation: stay close to what was predicted early, <p, t> high (Liu et al. 2020, equation 6).

t is a moving average of the example's own predictions: t <- beta t + (1 - beta) p, updated before it is used.
The paper's settings are beta 0.7 and weight 3 for CIFAR-10, 0.9 and 7 for CIFAR-100. The authors' code also clips
p to [1e-4, 1 - 1e-4] in the regulariser and averages it into t divided by its sum: `clip: 1.0e-4`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "early-learning regularisation"
FAMILY = "robust losses"
LATER = {"clip": None}
CLOSEST = 1e-4  # bounds log(1 - <p, t>), whose gradient would grow without end as <p, t> nears 1


def state(n_examples: int, n_classes: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return the moving average of the predictions, float32 (N, L), zero at the start."""
    return {"target": torch.zeros(n_examples, n_classes, device=device)}


def loss(
    logits: Tensor,
    labels: Tensor,
    index: Tensor,
    state: dict[str, Tensor],
    *,
    weight: Annotated[float, Field(ge=0)] = 3.0,
    beta: Annotated[float, Field(ge=0, lt=1)] = 0.7,
    clip: Annotated[float, Field(gt=0, lt=0.5)] | None = None,
) -> Tensor:
    """Return l(y) + weight * log(1 - <p, t>) per example, (B,), and update the targets of `index` (B,).

    clip: in the regulariser every p_j is held in [clip, 1 - clip], and divided by their sum in t; None leaves it.
    """
    log_p = log_probabilities(logits)
    p = log_p.exp() if clip is None else log_p.exp().clamp(clip, 1.0 - clip)
    seen = p.detach() if clip is None else p.detach() / p.detach().sum(dim=1, keepdim=True)
    target = beta * state["target"][index].to(p.dtype) + (1.0 - beta) * seen
    state["target"].index_copy_(0, index, target.to(state["target"].dtype))
    agreement = (p * target).sum(dim=1)
    return weight * (1.0 - agreement).clamp(min=CLOSEST).log() - of_label(log_p, labels)
