"""Macro-averaged F1: the mean over classes of the harmonic mean of precision and recall."""

import numpy as np

from smearlab.core.predictions import Part, Predictions
from smearlab.metrics._shared import mean


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_macro_f1 in [0, 1], over the classes that are labelled or predicted in the test part.

    The mean of the F1 of each class, as scikit-learn takes it, not the F1 of the mean precision and recall. Null
    without true labels.
    """
    return {"test_macro_f1": mean(_f1(p.test))}


def _f1(part: Part) -> np.ndarray:
    """Return 2 TP / (2 TP + FP + FN) of each class that occurs, float64."""
    known, n_classes = part.labels >= 0, part.logits.shape[1]
    labels, predicted = part.labels[known], part.predicted[known]
    hits = np.bincount(labels[labels == predicted], minlength=n_classes)
    both = np.bincount(labels, minlength=n_classes) + np.bincount(predicted, minlength=n_classes)
    return 2.0 * hits[both > 0] / both[both > 0]
