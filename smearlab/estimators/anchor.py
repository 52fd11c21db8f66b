"""Anchor points: row i of T is the prediction for an example that is surely of class i (Patrini et al. 2017).

The anchor of class i is the example with the largest p_i that is not above the `percentile` of p_i, a fraction:
0.97 leaves out the topmost 3 % as outliers. A class rarer than twice that share has no examples left below it;
its anchor is the most confident example, as the paper does for CIFAR-100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np

from smearlab.core.errors import UserError
from smearlab.estimators._inputs import check_inputs, rows_to_one

if TYPE_CHECKING:
    from pydantic import Field


def estimate(
    observed: np.ndarray,
    probabilities: np.ndarray,
    *,
    percentile: Annotated[float, Field(gt=0, le=1)] = 0.97,
) -> np.ndarray:
    """Return T_hat (L, L) from observed int64 (N,) and out-of-sample probabilities (N, L).

    Raises UserError for a percentile outside (0, 1] and for labels and probabilities that do not fit.
    """
    if not 0.0 < percentile <= 1.0:
        raise UserError(f"estimator 'anchor': percentile {percentile} is a fraction, above 0 and at most 1")
    probabilities = np.asarray(probabilities, dtype=np.float64)
    check_inputs(observed, probabilities)
    shares = np.bincount(observed, minlength=probabilities.shape[1]) / len(observed)
    levels = np.where(shares > 2.0 * (1.0 - percentile), percentile, 1.0)
    anchors = [_anchor(column, level) for column, level in zip(probabilities.T, levels, strict=True)]
    return rows_to_one(probabilities[anchors])


def _anchor(confidence: np.ndarray, level: float) -> int:
    """Return the position of the value at a quantile, the first of equal ones."""
    return int((confidence == np.quantile(confidence, level, method="lower")).argmax())
