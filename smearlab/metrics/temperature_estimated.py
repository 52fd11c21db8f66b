"""Calibration after temperature scaling through an estimated transition matrix: what a user can do without the true T.

T is counted from the validation part, which the network was not trained on: of the examples that it predicts as i with
at least the mean confidence of its predictions as i, the share that is labelled j (the confident joint of Northcutt,
Jiang, Chuang 2021, of one network). One more example of each class, spread over all labels, keeps rare classes off 0.
"""

import numpy as np

from smearlab.core.predictions import Part, Predictions
from smearlab.metrics._shared import confidence, mean, negative_log_likelihood
from smearlab.metrics.ece import calibration_error, reliability_of
from smearlab.metrics.temperature_through import fit_temperature_through


def measure(p: Predictions) -> dict[str, float | None]:
    """Return the temperature in [e^-5, e^5] that fits through the estimated T, and its effect on the true test labels.

    Null where every validation label is unknown.
    """
    temperature = fit_temperature_through(estimated_transition(p.validation), p.validation)
    if temperature is None:
        names = ("fitted_temperature_estimated_t", "test_ece_scaled_estimated_t", "test_nll_scaled_estimated_t")
        return dict.fromkeys(names)
    logits = p.test.logits.astype(np.float64) / temperature
    return {
        "fitted_temperature_estimated_t": temperature,
        "test_ece_scaled_estimated_t": calibration_error(reliability_of(logits, p.test.labels)),
        "test_nll_scaled_estimated_t": mean(negative_log_likelihood(logits, p.test.labels)),
    }


def estimated_transition(part: Part) -> np.ndarray:
    """Return T_hat (L, L) of a part that the network was not trained on; rows sum to 1."""
    n_classes = part.logits.shape[1]
    known = part.observed >= 0
    predicted, observed = part.predicted[known], part.observed[known]
    sure = confidence(part.logits[known])
    sums, totals = (np.bincount(predicted, weights=w, minlength=n_classes) for w in (sure, np.ones(len(sure))))
    confident = sure >= (sums / np.maximum(totals, 1.0))[predicted]
    joint = np.full((n_classes, n_classes), 1.0 / n_classes)
    np.add.at(joint, (predicted[confident], observed[confident]), 1.0)
    return joint / joint.sum(axis=1, keepdims=True)
