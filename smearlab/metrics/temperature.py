"""Calibration after temperature scaling (Guo et al. 2017), fitted on the noisy validation part."""

import numpy as np
from scipy.optimize import minimize_scalar

from smearlab.core.predictions import Part, Predictions
from smearlab.metrics._shared import mean, negative_log_likelihood
from smearlab.metrics.ece import calibration_error, reliability_of

LOG_BOUNDS = (-5.0, 5.0)


def measure(p: Predictions) -> dict[str, float | list | None]:
    """Return the temperature in [e^-5, e^5] that fits noisy validation labels best, and its effect on test.

    `test_ece_scaled`, `test_nll_scaled` and the curve `reliability_scaled` are against the true test labels.
    Null and empty where no validation label is known.
    """
    temperature = fit_temperature(p.validation)
    if temperature is None:
        nothing = dict.fromkeys(("fitted_temperature", "test_ece_scaled", "test_nll_scaled"))
        return {**nothing, "reliability_scaled": []}
    logits = p.test.logits.astype(np.float64) / temperature
    curve = reliability_of(logits, p.test.labels)
    return {
        "fitted_temperature": temperature,
        "test_ece_scaled": calibration_error(curve),
        "test_nll_scaled": mean(negative_log_likelihood(logits, p.test.labels)),
        "reliability_scaled": curve,
    }


def fit_temperature(part: Part) -> float | None:
    """Return the temperature with the least mean -log p(observed label); None where no label is known.

    The loss is convex in the inverse temperature, so it has one minimum. That lies at a bound when the
    network is right on every example, or no better than chance.
    """
    known = part.observed >= 0
    if not known.any():
        return None
    logits, observed = part.logits[known].astype(np.float64), part.observed[known]

    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(logits / np.exp(log_temperature), observed).mean()

    fit = minimize_scalar(loss, bounds=LOG_BOUNDS, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(fit.x))
