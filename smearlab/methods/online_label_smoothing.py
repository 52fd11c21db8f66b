"""Online label smoothing: each class is smoothed towards what the network says of it when it is right.

The soft label of a class is the mean prediction over its examples that the network predicted as labelled, of the
epoch before; uniform in the first epoch, and as it was for a class without such an example (Zhang et al. 2021,
section 3). alpha is the weight of the soft label, 1 - alpha that of the label: the paper's setting is 0.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import torch

from smearlab.core.smearing import log_probabilities, of_label, weighted

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "online label smoothing"
FAMILY = "smoothing"
PLAIN_AT = {"alpha": 0}


def state(n_examples: int, n_classes: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return the soft labels (L, L), a row a class, the sums of this epoch's right predictions, and the epoch."""
    return {
        "soft": torch.full((n_classes, n_classes), 1.0 / n_classes, device=device),
        "sums": torch.zeros(n_classes, n_classes, device=device),
        "epoch": torch.zeros((), dtype=torch.int64, device=device),
    }


def loss(
    logits: Tensor,
    labels: Tensor,
    epoch: Tensor,
    state: dict[str, Tensor],
    *,
    alpha: Annotated[float, Field(ge=0, lt=1)],
) -> Tensor:
    """Return (1 - alpha) l(y) + alpha sum_j S[y, j] l(j) per example, (B,), and note the batch for the next S."""
    log_p = log_probabilities(logits)
    _turn_over(state, epoch)
    _note(state["sums"], log_p.detach(), labels)
    return alpha * weighted(log_p, labels, state["soft"]) - (1.0 - alpha) * of_label(log_p, labels)


def _turn_over(state: dict[str, Tensor], epoch: Tensor) -> None:
    """In the first batch of a new epoch make the sums the soft labels, and start them again; else change nothing."""
    begins = epoch > state["epoch"]
    totals = state["sums"].sum(dim=1, keepdim=True)
    fresh = torch.where(totals > 0.0, state["sums"] / totals, state["soft"])
    state["soft"].copy_(torch.where(begins, fresh, state["soft"]))
    state["sums"].mul_(~begins)
    state["epoch"].copy_(epoch)


def _note(sums: Tensor, log_p: Tensor, labels: Tensor) -> None:
    """Add the predictions of the examples predicted as labelled to the rows of their classes."""
    right = (log_p.argmax(dim=1) == labels).to(log_p.dtype)
    rows = torch.zeros_like(log_p).scatter_(1, labels[:, None], right[:, None])
    sums.add_(rows.T @ log_p.exp())
