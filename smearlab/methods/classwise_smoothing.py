"""Class-wise smoothing: the more examples a class has, the more its labels are smoothed (Zhong et al. 2021).

The paper's label-aware smoothing: the label keeps 1 - e and the other L - 1 classes share e. From the smallest class
to the largest, e rises from `smallest` to `largest` as a quarter of a sine (`concave`), a straight line or a quarter
of a sine upside down (`convex`). Classes are counted by their observed labels as these are shown: from the end of the
first epoch on, as in the training part. Classes of one size all get `smallest`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

import torch

from smearlab.core.smearing import log_probabilities, of_label

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "class-wise smoothing"
FAMILY = "smoothing"
PLAIN_AT = {"largest": 0, "smallest": 0}


def state(n_examples: int, n_classes: int, device: torch.device | str) -> dict[str, Tensor]:
    """Return how often each class was shown, int64 (L,)."""
    return {"shown": torch.zeros(n_classes, dtype=torch.int64, device=device)}


def loss(
    logits: Tensor,
    labels: Tensor,
    state: dict[str, Tensor],
    *,
    largest: Annotated[float, Field(ge=0, lt=1)] = 0.4,
    smallest: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    shape: Literal["concave", "linear", "convex"] = "concave",
) -> Tensor:
    """Return (1 - e) l(y) + e / (L - 1) sum_{j != y} l(j) per example, (B,), with e of the class y."""
    log_p = log_probabilities(logits)
    own = of_label(log_p, labels)
    others = log_p.sum(dim=1) - own
    sizes = _count(state["shown"], labels).to(log_p.dtype)
    strength = (smallest + (largest - smallest) * _bent(_place(sizes), shape))[labels]
    return (strength - 1.0) * own - strength / (log_p.shape[1] - 1) * others


def _count(shown: Tensor, labels: Tensor) -> Tensor:
    """Add the labels of a batch to the counts (L,), in place, and return them."""
    batch = torch.zeros(len(labels), len(shown), dtype=shown.dtype, device=shown.device)
    return shown.add_(batch.scatter_(1, labels[:, None], 1).sum(dim=0))


def _place(sizes: Tensor) -> Tensor:
    """Return where each size (L,) lies between the smallest, 0, and the largest, 1; 0 where all are equal."""
    smallest, largest = sizes.aminmax()
    return (sizes - smallest) / (largest - smallest).clamp(min=1.0)


def _bent(place: Tensor, shape: str) -> Tensor:
    """Return the rise, from 0 at place 0 to 1 at place 1."""
    match shape:
        case "concave":
            return (place * (math.pi / 2)).sin()
        case "convex":
            return 1.0 - (place * (math.pi / 2)).cos()
        case _:
            return place
