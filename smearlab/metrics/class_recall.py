"""Recall of each class on the test part: which classes a method serves, and which it gives up."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import recalls


def measure(p: Predictions) -> dict[str, list]:
    """Return the curve `class_recall`: {class, recall, count} for each class, against the true test labels.

    recall: the share of the class's examples that are predicted as it, in [0, 1]; null for a class without one.
    Empty without true labels.
    """
    found, counts = recalls(p.test)
    rows = [
        {"class": k, "recall": None if np.isnan(recall) else float(recall), "count": int(count)}
        for k, (recall, count) in enumerate(zip(found, counts, strict=True))
    ]
    return {"class_recall": rows if counts.any() else []}
