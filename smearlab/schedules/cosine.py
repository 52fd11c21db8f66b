"""A learning rate that falls to 0 along half a cosine (Loshchilov & Hutter 2017, without restarts)."""

import math


def factor(step: int, total: int, warm: int) -> float:
    """Return (1 + cos(pi t)) / 2, with t the part of training after the warm-up that is over, in [0, 1)."""
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))
