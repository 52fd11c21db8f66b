"""The noisy validation part in two halves: one to choose a method by, one to say what the choice is worth."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import accuracy


def measure(p: Predictions) -> dict[str, float | None]:
    """Return the accuracy against observed labels on validation examples at even and at odd positions.

    `choice_accuracy_noisy` (even) is what a method is chosen by, `heldout_accuracy_noisy` (odd) took no part
    in that choice. A checkpoint that was selected on the validation part has seen both.
    """
    even = np.arange(len(p.validation.observed)) % 2 == 0
    return {
        "choice_accuracy_noisy": accuracy(p.validation, p.validation.observed, among=even),
        "heldout_accuracy_noisy": accuracy(p.validation, p.validation.observed, among=~even),
    }
