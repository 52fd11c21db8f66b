"""Gold loss correction: row i of T is the mean prediction for examples known to be of class i (Hendrycks et al. 2018).

The known ones are a gold set: training examples with a true label. A class without one borrows the mean prediction for
examples labelled as it, which is exact where its labels are right.
"""

import numpy as np

from smearlab.core.errors import UserError
from smearlab.estimators._inputs import check_inputs, rows_to_one

GOLD = True


def estimate(
    observed: np.ndarray,
    probabilities: np.ndarray,
    gold: np.ndarray | None = None,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Return T_hat (L, L) from observed int64 (N,), out-of-sample probabilities (N, L) and true labels gold int64 (N,).

    gold: -1 where unknown, None for nowhere. weights: what each example stands for, float (N,), where these were not
    drawn with equal chances. UserError for labels and probabilities that do not fit.
    """
    probabilities = np.asarray(probabilities, dtype=np.float64)
    check_inputs(observed, probabilities)
    known = np.full(len(observed), -1) if gold is None else gold
    if known.shape != observed.shape or known.max() >= probabilities.shape[1]:
        raise UserError(f"estimator 'gold': {known.shape} true labels for {observed.shape} observed ones")
    counted = np.ones(len(observed)) if weights is None else weights
    of_class = _sums(probabilities * counted[:, None], known)
    labelled = rows_to_one(_sums(probabilities, observed))
    present = of_class.sum(axis=1, keepdims=True) > 0
    return np.where(present, rows_to_one(of_class), labelled)


def _sums(rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the sum of the rows of each class, (L, L); those of class -1 are left out."""
    sums = np.zeros((rows.shape[1], rows.shape[1]))
    np.add.at(sums, classes[classes >= 0], rows[classes >= 0])
    return sums
