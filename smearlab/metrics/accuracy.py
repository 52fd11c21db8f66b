"""Accuracy on every part, against true and against observed labels."""

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import accuracy, right


def measure(p: Predictions) -> dict[str, float | None]:
    """Return accuracies in [0, 1], null where the labels are unknown.

    `_clean` is against the true labels, `_noisy` against the observed ones; `test_accuracy` is against the
    true ones. `train_accuracy_right_part` and `_wrong_part` are against the observed labels, on the examples
    whose observed label is right or wrong.
    """
    return {
        "test_accuracy": accuracy(p.test, p.test.labels),
        "test_accuracy_noisy": accuracy(p.test, p.test.observed),
        "validation_accuracy_clean": accuracy(p.validation, p.validation.labels),
        "validation_accuracy_noisy": accuracy(p.validation, p.validation.observed),
        "train_accuracy_clean": accuracy(p.train, p.train.labels),
        "train_accuracy_noisy": accuracy(p.train, p.train.observed),
        "train_accuracy_right_part": accuracy(p.train, p.train.observed, among=right(p.train)),
        "train_accuracy_wrong_part": accuracy(p.train, p.train.observed, among=p.train.wrong),
    }
