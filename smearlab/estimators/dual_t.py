"""Dual T: T_hat as the product of two easier matrices, by way of the predicted class (Yao et al. 2020).

T_hat = A B with A[i, l] the prediction for the anchor of class i (as `anchor` has it) and B[l, j] the share of
the examples predicted as l that are labelled j. B is counted, which lowers the variance. Where the network is
sure at its anchors, A is near I and T_hat near T; with calibrated probabilities A and B both carry the noise,
and T_hat tends to T T.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np

from smearlab.core.transition import counts
from smearlab.estimators import anchor
from smearlab.estimators._inputs import rows_to_one

if TYPE_CHECKING:
    from pydantic import Field


def estimate(
    observed: np.ndarray,
    probabilities: np.ndarray,
    *,
    percentile: Annotated[float, Field(gt=0, le=1)] = 0.97,
) -> np.ndarray:
    """Return T_hat (L, L) from observed int64 (N,) and out-of-sample probabilities (N, L).

    Raises UserError as `anchor` does.
    """
    to_predicted = anchor.estimate(observed, probabilities, percentile=percentile)
    predicted = np.asarray(probabilities).argmax(axis=1)
    return to_predicted @ rows_to_one(counts(predicted, observed, len(to_predicted)).astype(np.float64))
