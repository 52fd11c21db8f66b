"""Macro-averaged F1: the mean over classes of the harmonic mean of precision and recall."""

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import by_measure


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_macro_f1 in [0, 1], over the classes that are labelled or predicted in the test part, and its like.

    The mean of the F1 of each class, as scikit-learn takes it, not the F1 of the mean precision and recall. Null
    without true labels. `_noisy` is against observed labels.
    """
    return by_measure("macro_f1", p)
