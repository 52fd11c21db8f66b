"""Selective classification: what the network gets wrong if it may abstain where it is least sure.

The examples are accepted from the most to the least confident one, by the probability of the most probable class.
The risk at a coverage is the share of errors among the accepted (Geifman & El-Yaniv 2017). The area under that
curve is the mean of the risks after each accepted example; its excess is what it has over the best order of the same
errors, all of them last (Geifman, Uziel & El-Yaniv 2019).
"""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import confidence

COVERAGES = np.arange(1, 21) / 20


def measure(p: Predictions) -> dict[str, float | list | None]:
    """Return test_aurc and test_excess_aurc in [0, 1], and the curve `risk_coverage`: {coverage, risk} at 20 coverages.

    Against the true test labels; null and empty without them. Equally confident examples are taken in random
    order: the risk is its mean over all orders.
    """
    known = p.test.labels >= 0
    if not known.any():
        return {"test_aurc": None, "test_excess_aurc": None, "risk_coverage": []}
    wrong = (p.test.predicted != p.test.labels)[known]
    risks = risks_accepted(confidence(p.test.logits[known]), wrong)
    best = risks_accepted(-wrong.astype(np.float64), wrong)
    accepted = np.ceil(COVERAGES * len(risks)).astype(np.int64)
    return {
        "test_aurc": float(risks.mean()),
        "test_excess_aurc": float(risks.mean() - best.mean()),
        "risk_coverage": [
            {"coverage": float(coverage), "risk": float(risks[n - 1])}
            for coverage, n in zip(COVERAGES, accepted, strict=True)
        ],
    }


def risks_accepted(score: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """Return the share of errors among the k examples of the highest score, for k = 1 ... N, float64 (N,).

    score: float (N,). wrong: bool (N,). Inside a group of equal scores the errors are spread evenly.
    """
    _, group, sizes = np.unique(-score, return_inverse=True, return_counts=True)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    errors = np.concatenate([[0.0], np.cumsum(np.bincount(group, weights=wrong))])
    accepted = np.arange(1, len(score) + 1)
    return np.interp(accepted, ends, errors) / accepted
