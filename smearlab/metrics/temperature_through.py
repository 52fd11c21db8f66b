"""Calibration after temperature scaling through the transition matrix: fitted to noisy labels, but for the true ones.

A temperature that makes the network's own p fit noisy labels calibrates it to the noise. Here T^T p, which is what p
says of the *noisy* label, is made to fit them, so that p is left to fit the true ones (the forward correction of
Patrini et al. 2017, of one parameter). What a user without T gets is in `temperature`.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

from smearlab.core.predictions import Part, Predictions
from smearlab.metrics._shared import mean, negative_log_likelihood
from smearlab.metrics.ece import calibration_error, reliability_of
from smearlab.metrics.temperature import LOG_BOUNDS

STARTS = 21


def measure(p: Predictions) -> dict[str, float | None]:
    """Return the temperature in [e^-5, e^5] that fits through the true T, and its effect on the true test labels.

    Null where T or every validation label is unknown.
    """
    temperature = None if p.transition is None else fit_temperature_through(p.transition, p.validation)
    if temperature is None:
        return dict.fromkeys(("fitted_temperature_true_t", "test_ece_scaled_true_t", "test_nll_scaled_true_t"))
    logits = p.test.logits.astype(np.float64) / temperature
    return {
        "fitted_temperature_true_t": temperature,
        "test_ece_scaled_true_t": calibration_error(reliability_of(logits, p.test.labels)),
        "test_nll_scaled_true_t": mean(negative_log_likelihood(logits, p.test.labels)),
    }


def fit_temperature_through(transition: np.ndarray, part: Part) -> float | None:
    """Return the temperature with the least mean -log (T^T p)_observed; None where no label is known.

    transition: T (L, L). Unlike the plain fit this one may have several minima: the best of a grid is refined.
    Labels that T calls impossible, its columns of zeros, say nothing and are left out.
    """
    possible = np.isin(part.observed, np.flatnonzero(transition.sum(axis=0)))
    if not possible.any():
        return None
    logits, weights = part.logits[possible].astype(np.float64), transition.T[part.observed[possible]]

    def loss(log_temperature: float) -> float:
        log_p = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -logsumexp(log_p, b=weights, axis=1).mean()

    grid = np.linspace(*LOG_BOUNDS, STARTS)
    best, step = grid[np.argmin([loss(at) for at in grid])], grid[1] - grid[0]
    bounds = np.clip([best - step, best + step], *LOG_BOUNDS)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))
