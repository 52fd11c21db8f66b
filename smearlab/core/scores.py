"""What a prediction is worth, as one number: accuracy, or a measure in which every class counts the same."""

from collections.abc import Callable

import numpy as np

Score = Callable[[np.ndarray, np.ndarray, int], float | None]


def score(measure: str, predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> float | None:
    """Return a measure of predictions in [0, 1], over the examples whose stated label is known; None without any.

    predicted: int (N,) in 0..L-1. stated: int (N,), -1 unknown.
    """
    known = stated >= 0
    return SCORES[measure](predicted[known], stated[known], n_classes) if known.any() else None


def recalls(predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the recall of each class, float64 (L,), NaN without an example, and the examples of each, int64 (L,)."""
    counts = np.bincount(stated, minlength=n_classes)
    hits = np.bincount(stated[predicted == stated], minlength=n_classes)
    return np.divide(hits, counts, out=np.full(n_classes, np.nan), where=counts > 0), counts


def _accuracy(predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> float:
    return float((predicted == stated).mean(dtype=np.float64))


def _balanced_accuracy(predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> float:
    """Return the mean recall of the classes that are stated (Brodersen et al. 2010)."""
    found, counts = recalls(predicted, stated, n_classes)
    return float(found[counts > 0].mean())


def _macro_f1(predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> float:
    """Return the mean of 2 TP / (2 TP + FP + FN) over the classes that are stated or predicted."""
    hits = np.bincount(stated[predicted == stated], minlength=n_classes)
    both = np.bincount(stated, minlength=n_classes) + np.bincount(predicted, minlength=n_classes)
    return float((2.0 * hits[both > 0] / both[both > 0]).mean())


SCORES: dict[str, Score] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "macro_f1": _macro_f1,
}
