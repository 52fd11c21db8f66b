"""Confident joint: counts of examples whose prediction is confident beyond its class's mean (Northcutt et al. 2021).

Computed by cleanlab, whose joint is over (observed, true); here it is turned to T[true, observed].
"""

import numpy as np

from smearlab.estimators._inputs import check_inputs, rows_to_one


def estimate(observed: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return T_hat (L, L) from observed int64 (N,) and out-of-sample probabilities (N, L)."""
    from cleanlab.count import compute_confident_joint  # an optional dependency

    probabilities = np.asarray(probabilities, dtype=np.float64)
    check_inputs(observed, probabilities)
    joint = compute_confident_joint(observed, probabilities)
    return rows_to_one(joint.T.astype(np.float64))
