"""An interval for data of the same kind, from replicates that split the same examples again and again."""

import numpy as np
from scipy.special import stdtrit

from smearlab.statistics.paired import Difference


def resampled(difference: Difference, test_to_train: float, level: float = 0.95) -> tuple[float, float] | None:
    """Return the corrected resampled t interval of Nadeau & Bengio (2003); None when nothing is testable.

    Splits of one data set share most of their examples, so their differences vary less than those of new data would:
    the variance of the mean over n splits is s² (1/n + n_test / n_train) in place of s² / n.
    """
    mean, deviation = difference.mean, difference.deviation
    if not difference.testable or mean is None or deviation is None:
        return None
    spread = deviation * np.sqrt(1 / difference.n + test_to_train)
    half = float(stdtrit(difference.n - 1, (1 + level) / 2) * spread)
    return mean - half, mean + half
