"""Size and spread of the logits on the test part."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import mean


def measure(p: Predictions) -> dict[str, float | None]:
    """Return the mean Euclidean norm of the logits and their mean standard deviation over the classes.

    The spread sees differences of logits only, which is all that the softmax and label smoothing see; the
    norm also sees a shift common to all classes.
    """
    logits = p.test.logits.astype(np.float64)
    return {
        "logit_norm": mean(np.linalg.norm(logits, axis=1)),
        "logit_spread": mean(logits.std(axis=1)),
    }
