"""Negative log-likelihood of the true test labels."""

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import mean, negative_log_likelihood


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_nll: the mean of -log p(true label), in nats, at least 0; null without true labels."""
    return {"test_nll": mean(negative_log_likelihood(p.test.logits, p.test.labels))}
