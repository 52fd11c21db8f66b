"""Smoothing on top of forward correction: the smoothed loss of the noisy posterior T^T p.

At alpha 0 it is forward correction, at T = I label smoothing. Needs memory for B * L * L numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.core.smearing import corrected_all, log_probabilities, smoothed

if TYPE_CHECKING:
    from pydantic import Field
    from torch import Tensor

LABEL = "forward + smoothing"
FAMILY = "corrections"
NEEDS = "nonnegative"


def loss(logits: Tensor, labels: Tensor, *, alpha: Annotated[float, Field(lt=1)], transition: Tensor) -> Tensor:
    """Return (1 - alpha) f(y) + (alpha / L) sum_j f(j) with f(j) = -log (T^T p)_j per example, (B,).

    T (L, L) has entries >= 0 and no column of zeros: a class that is never observed has no finite f.
    """
    return smoothed(corrected_all(log_probabilities(logits), transition), labels, alpha)
