"""Backward correction: the smearing M = T^-1, unbiased under the noise T (Patrini et al. 2017).

sum_y T[i, y] loss(y) = l(i), so in expectation the clean loss is minimised. It is not bounded below.
"""

from torch import Tensor

from smearlab.core.smearing import inverse, log_probabilities, weighted

LABEL = "backward correction"
NEEDS = "inverse"
PLAIN_AT = {"transition": "identity"}


def prepare(transition: Tensor) -> Tensor:
    """Return the inverse of T in float64, (L, L)."""
    return inverse(transition)


def loss(logits: Tensor, labels: Tensor, *, transition: Tensor) -> Tensor:
    """Return sum_j (T^-1)[y, j] l(j) per example, (B,); `transition` is what `prepare` made of T."""
    return weighted(log_probabilities(logits), labels, transition)
