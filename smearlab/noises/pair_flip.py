"""Pair flip: class i becomes the next class, i + 1 (the last becomes the first), with probability `rate`.

Source: Han et al. 2018 (Co-teaching), "pair flipping".
"""

import numpy as np

from smearlab.core.transition import flips


def transition(n_classes: int, *, rate: float) -> np.ndarray:
    """Return T, (L, L)."""
    return flips(n_classes, rate, [(i + 1) % n_classes for i in range(n_classes)])
