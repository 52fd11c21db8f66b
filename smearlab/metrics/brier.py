"""Brier score: squared error of the predicted probabilities (Brier 1950), summed over the classes."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import mean


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_brier: the mean over examples of the sum over classes of (p_j - 1[j = y])^2, in [0, 2].

    This is Brier's own multi-class form: with two classes it is twice the score that looks at one class only.
    Null without true labels.
    """
    known = p.test.labels >= 0
    errors = np.exp(p.test.log_probabilities[known])
    errors[np.arange(len(errors)), p.test.labels[known]] -= 1
    return {"test_brier": mean(np.square(errors).sum(axis=1))}
