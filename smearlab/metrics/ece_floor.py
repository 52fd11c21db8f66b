"""The expected calibration error that a perfectly calibrated network would show on as many test examples."""

from collections.abc import Sequence
from typing import Any

from scipy.stats import binom

from smearlab.core.adding import left_to_right
from smearlab.core.predictions import Predictions
from smearlab.metrics.ece import reliability_of


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_ece_floor in [0, 1], for the confidences of this network; null without true labels."""
    return {"test_ece_floor": calibration_floor(reliability_of(p.test.logits, p.test.labels))}


def calibration_floor(curve: Sequence[dict[str, Any]]) -> float | None:
    """Return the mean calibration error if every hit were drawn with the confidence of its bin; None of no bins.

    curve: bins with `confidence` and `count`, as `reliability` returns them. Confidences that differ inside a bin
    make the true floor slightly smaller (Hoeffding 1956, theorem 3).
    """
    n = sum(b["count"] for b in curve)
    return left_to_right(mean_absolute_deviation(b["count"], b["confidence"]) for b in curve) / n if n else None


def mean_absolute_deviation(n: int, p: float) -> float:
    """Return E|X - n p| of X binomial(n, p), by De Moivre's formula (Diaconis & Zabell 1991)."""
    above = int(n * p) + 1
    return float(2.0 * above * (1.0 - p) * binom.pmf(above, n, p))
