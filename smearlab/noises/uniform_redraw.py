"""Uniform redraw: with probability `rate` the label is drawn anew over all L classes, the true one included.

T = (1 - rate) I + (rate / L) J, so that a label is wrong with probability rate * (L - 1) / L only.
"""

import numpy as np

from smearlab.core.transition import from_alpha


def transition(n_classes: int, *, rate: float) -> np.ndarray:
    """Return T, (L, L)."""
    return from_alpha(n_classes, rate)
