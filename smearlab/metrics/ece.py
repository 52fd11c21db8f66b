"""Expected calibration error of the most probable class (Guo et al. 2017, eq. 3)."""

import numpy as np

from smearlab.core.adding import left_to_right
from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import confidence

N_BINS = 15


def reliability(confidences: np.ndarray, hits: np.ndarray) -> list[dict[str, float | int]]:
    """Return mean confidence, accuracy and count of each bin that holds an example.

    confidences: float64 (N,) in [0, 1]. hits: bool (N,). Bin k of 15 is [k/15, (k+1)/15); the last one
    includes confidence 1.
    """
    bins = np.minimum((confidences * N_BINS).astype(np.int64), N_BINS - 1)
    counts = np.bincount(bins, minlength=N_BINS)
    confidence_sums = np.bincount(bins, weights=confidences, minlength=N_BINS)
    hit_sums = np.bincount(bins, weights=hits, minlength=N_BINS)
    return [
        {
            "bin": k,
            "confidence": float(confidence_sums[k] / counts[k]),
            "accuracy": float(hit_sums[k] / counts[k]),
            "count": int(counts[k]),
        }
        for k in np.flatnonzero(counts).tolist()
    ]


def calibration_error(curve: list[dict[str, float | int]]) -> float | None:
    """Return the mean over examples of |accuracy - confidence| of their bin, in [0, 1]; None of no bins."""
    n = sum(b["count"] for b in curve)
    return left_to_right(b["count"] * abs(b["accuracy"] - b["confidence"]) for b in curve) / n if n else None


def reliability_of(logits: np.ndarray, labels: np.ndarray) -> list[dict[str, float | int]]:
    """Return the reliability curve of logits (N, L) over the examples whose label (N,) is known (not -1)."""
    known = labels >= 0
    return reliability(confidence(logits[known]), logits[known].argmax(axis=1) == labels[known])


def measure(p: Predictions) -> dict[str, float | list | None]:
    """Return test_ece in [0, 1] and its curve `reliability`; null and empty without true labels."""
    curve = reliability_of(p.test.logits, p.test.labels)
    return {"test_ece": calibration_error(curve), "reliability": curve}
