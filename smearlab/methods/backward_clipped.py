"""Non-negative backward correction: each example's corrected loss, but never below 0.

Backward correction rewards a confident network without bound, through its negative weights. Clipping each
example stops that, at the price of a small bias; per example, so that the batch size does not matter.
In the spirit of Kiryo et al. 2017 (non-negative risk estimators), who clip class-wise means. The probabilities are
not clipped: that is the option `clip` of `backward`, as in the code of its authors.
"""

from torch import Tensor

from smearlab.core.smearing import inverse, log_probabilities, weighted

LABEL = "non-negative backward correction"
FAMILY = "corrections"
NEEDS = "inverse"
PLAIN_AT = {"transition": "identity"}


def prepare(transition: Tensor) -> Tensor:
    """Return the inverse of T in float64, (L, L)."""
    return inverse(transition)


def loss(logits: Tensor, labels: Tensor, *, transition: Tensor) -> Tensor:
    """Return max(0, sum_j (T^-1)[y, j] l(j)) per example, (B,); `transition` is what `prepare` made of T."""
    return weighted(log_probabilities(logits), labels, transition).clamp(min=0.0)
