"""Forward correction: the loss of the noisy label under T^T p, -log (T^T p)_y (Patrini et al. 2017).

Computed in log space, log-sum-exp over the true class i of log T[i, y] + log p_i.
"""

from torch import Tensor

from smearlab.core.smearing import corrected, log_probabilities

LABEL = "forward correction"
FAMILY = "corrections"
NEEDS = "nonnegative"
PLAIN_AT = {"transition": "identity"}


def loss(logits: Tensor, labels: Tensor, *, transition: Tensor) -> Tensor:
    """Return -log (T^T p)_y per example, (B,); `transition` is T (L, L) with entries >= 0."""
    return -corrected(log_probabilities(logits), labels, transition)
