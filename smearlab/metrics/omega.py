"""The regulariser of label smoothing, Omega (Lukasik et al. 2020, section on smoothing as regularisation)."""

import numpy as np
from scipy.special import logsumexp

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import mean


def measure(p: Predictions) -> dict[str, float | None]:
    """Return omega: the mean over training examples of L logsumexp(f) - sum_j f_j, at least L log L.

    The smoothed loss is (1 - α) (plain loss + α / ((1 - α) L) Omega).
    """
    logits = p.train.logits.astype(np.float64)
    return {"omega": mean(p.n_classes * logsumexp(logits, axis=1) - logits.sum(axis=1))}
