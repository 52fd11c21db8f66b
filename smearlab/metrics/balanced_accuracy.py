"""Balanced accuracy: the mean of the recalls of the classes, each class counting the same (Brodersen et al. 2010)."""

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import by_measure


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_balanced_accuracy in [0, 1], over the classes that the true test labels hold, and its like.

    Null without true labels. With classes of one size it is the accuracy. `_noisy` is against observed labels.
    """
    return by_measure("balanced_accuracy", p)
