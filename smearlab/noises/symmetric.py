"""Symmetric noise: a wrong label with probability `rate`, uniform over the L - 1 other classes.

T = (1 - rate) on the diagonal and rate / (L - 1) elsewhere; source: Patrini et al. 2017, Lukasik et al. 2020.
"""

import numpy as np

from smearlab.core.transition import symmetric

TOO_HIGH = "what many benchmarks call symmetric noise redraws over all classes: that is kind uniform_redraw"


def rate_range(n_classes: int) -> tuple[float, float]:
    """At (L - 1) / L the labels say nothing any more."""
    return 0.0, (n_classes - 1) / n_classes


def transition(n_classes: int, *, rate: float) -> np.ndarray:
    """Return T, (L, L)."""
    return symmetric(n_classes, rate)
