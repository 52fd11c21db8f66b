"""How sure the network is: histograms of the top-class probability."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import confidence, density, mean, right

EDGES = np.linspace(0.0, 1.0, 21)


def measure(p: Predictions) -> dict[str, float | list | None]:
    """Return mean confidences in [1/L, 1] on the test part and on right and wrong training labels.

    Curve `confidence`: {low, high, test, train_right, train_wrong}, densities over 20 equal bins of [0, 1].
    Null for an empty group.
    """
    train = confidence(p.train.logits)
    groups = {
        "test": confidence(p.test.logits),
        "train_right": train[right(p.train)],
        "train_wrong": train[p.train.wrong],
    }
    means = {f"{name}_confidence": mean(values) for name, values in groups.items()}
    return {**means, "confidence": density(groups, EDGES)}
