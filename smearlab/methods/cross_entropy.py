"""Plain cross-entropy: the loss of the observed label alone, M = I."""

from torch import Tensor

from smearlab.core.smearing import log_probabilities, of_label

LABEL = "cross-entropy"


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return -log p_y per example, (B,)."""
    return -of_label(log_probabilities(logits), labels)
