"""Balanced accuracy: the mean of the recalls of the classes, each class counting the same (Brodersen et al. 2010)."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import mean, recalls


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_balanced_accuracy in [0, 1], over the classes that the true test labels hold.

    Null without true labels. With classes of one size it is the accuracy.
    """
    found, _ = recalls(p.test)
    return {"test_balanced_accuracy": mean(found[~np.isnan(found)])}
