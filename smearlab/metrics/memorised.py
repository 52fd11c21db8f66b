"""Memorised and recovered: what the network predicts on training examples with a wrong label."""

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import accuracy


def measure(p: Predictions) -> dict[str, float | None]:
    """Return two shares of the training examples whose observed label is wrong, in [0, 1].

    memorised: the network predicts the wrong label. recovered: it predicts the true one. Their sum is at
    most 1. Both are null when no label is wrong or the true labels are unknown.
    """
    return {
        "memorised": accuracy(p.train, p.train.observed, among=p.train.wrong),
        "recovered": accuracy(p.train, p.train.labels, among=p.train.wrong),
    }
