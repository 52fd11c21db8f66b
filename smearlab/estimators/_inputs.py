"""What every estimator checks first, and how counts become a transition matrix."""

import numpy as np

from smearlab.core.errors import UserError


def check_inputs(observed: np.ndarray, probabilities: np.ndarray) -> None:
    """Raise UserError unless observed (N,) holds classes of 0..L-1 and probabilities (N, L) rows that sum to 1."""
    if probabilities.ndim != 2 or observed.shape != probabilities.shape[:1] or len(observed) == 0:
        raise UserError(f"estimator: {observed.shape} labels with {probabilities.shape} probabilities")
    n_classes = probabilities.shape[1]
    if observed.min() < 0 or observed.max() >= n_classes:
        raise UserError(f"estimator: observed labels outside 0..{n_classes - 1}")
    if not np.isfinite(probabilities).all() or (probabilities < 0).any():
        raise UserError("estimator: probabilities must be finite and 0 or more")
    if np.abs(probabilities.sum(axis=1) - 1.0).max() > 1e-3:
        raise UserError("estimator: each row of probabilities must sum to 1")


def rows_to_one(weights: np.ndarray) -> np.ndarray:
    """Divide each row by its sum; a row without weight says nothing of its class, which then keeps its label."""
    sums = weights.sum(axis=1, keepdims=True)
    return np.where(sums > 0.0, weights / np.where(sums > 0.0, sums, 1.0), np.eye(len(weights)))
