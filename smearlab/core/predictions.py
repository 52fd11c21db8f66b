"""What a network says of each part of a data set: the input of every metric."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax


@dataclass(frozen=True)
class Part:
    """Logits and labels of one part: logits float32 (N, L), labels and observed int64 (N,), -1 where unknown."""

    logits: np.ndarray
    labels: np.ndarray
    observed: np.ndarray

    @property
    def log_probabilities(self) -> np.ndarray:
        """Log-softmax of the logits in float64, shape (N, L)."""
        return log_softmax(self.logits.astype(np.float64), axis=1)

    @property
    def predicted(self) -> np.ndarray:
        """The class of the largest logit (the first of equals), int64 (N,)."""
        return self.logits.argmax(axis=1)

    @property
    def wrong(self) -> np.ndarray:
        """Examples whose observed label is known to differ from the true one, bool (N,)."""
        return (self.labels >= 0) & (self.observed >= 0) & (self.labels != self.observed)


@dataclass(frozen=True)
class Predictions:
    """One network at one checkpoint on the three parts of a data set with L = n_classes.

    transition: the true T (L, L) of its noise, as `transition: true` means it; None where it is unknown.
    """

    n_classes: int
    train: Part
    validation: Part
    test: Part
    transition: np.ndarray | None = None
