"""T-Revision: importance weights p_y / (T'^T p)_y on cross-entropy, T' learnt from T by a slack (Xia et al. 2019).

Up to `start` epochs T' is T: importance reweighting (Liu & Tao 2016). Then the slack S descends the mean weighted loss
at a rate of its own, with the network held constant, as the weights are for the network. T' is T + S, negative entries
cut off, its rows divided by their sums: left free, every entry only grows, because each makes the weights smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "T-Revision"
FAMILY = "corrections"
NEEDS = "nonnegative"
PLAIN_AT = {"transition": "identity", "rate": 0}
TINY = 1e-12  # keeps the weight of a label that T' calls impossible finite


def state(n_examples: int, n_classes: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return the slack on T, float32 (L, L), zero at the start."""
    return {"slack": torch.zeros(n_classes, n_classes, device=device)}


def loss(
    logits: Tensor,
    labels: Tensor,
    epoch: Tensor,
    state: dict[str, Tensor],
    *,
    transition: Tensor,
    rate: Annotated[float, Field(ge=0, le=1)] = 0.01,
    start: Annotated[int, Field(ge=0)] = 10,
) -> Tensor:
    """Return w l(y) per example, (B,), with w = p_y / (T'^T p)_y held constant, and take a step of the slack.

    rate: of the slack's plain gradient descent; start: the epochs before it moves; `transition` is T (L, L) with
    entries >= 0.
    """
    log_p = log_probabilities(logits)
    p, own = log_p.detach().exp(), -of_label(log_p, labels)
    raw = (transition.to(p.dtype) + state["slack"].to(p.dtype)).clamp(min=0.0)
    revised = raw / raw.sum(dim=1, keepdim=True).clamp(min=TINY)
    q = (p * revised.T[labels]).sum(dim=1).clamp(min=TINY)
    weight = of_label(p, labels) / q
    step = rate * (epoch >= start) * _gradient(p, labels, own.detach() * weight / q, raw, revised)
    state["slack"].sub_(step.to(state["slack"].dtype))
    return weight * own


def _gradient(p: Tensor, labels: Tensor, pull: Tensor, raw: Tensor, revised: Tensor) -> Tensor:
    """Return the derivative (L, L) of the mean weighted loss by the slack, p held constant.

    By T'[i, j] it is -p_i l(y) p_y / (T'^T p)_y^2, averaged, of the examples labelled j; `pull` (B,) is all of that but
    -p_i. The rows' sums and the cut at 0 follow by the chain rule.
    """
    by_label = torch.zeros_like(p).scatter_(1, labels[:, None], pull[:, None])
    of_revised = -(p.T @ by_label) / len(p)
    along = (revised * of_revised).sum(dim=1, keepdim=True)
    return (of_revised - along) / raw.sum(dim=1, keepdim=True).clamp(min=TINY) * (raw > 0)
