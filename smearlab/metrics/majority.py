"""The share of the largest class: the accuracy of saying the same of every example."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import recalls


def measure(p: Predictions) -> dict[str, float | None]:
    """Return test_majority_share in (0, 1], of the true test labels, and test_lowest_recall, that of the worst class.

    Both null without true labels.
    """
    found, counts = recalls(p.test)
    if not counts.any():
        return {"test_majority_share": None, "test_lowest_recall": None}
    share = float(counts.max() / counts.sum())
    return {"test_majority_share": share, "test_lowest_recall": float(np.nanmin(found))}
