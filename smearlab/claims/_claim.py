"""What a claim of the paper comes to when it is computed, and the losses that several claims share."""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax


@dataclass(frozen=True)
class Claim:
    """One claim: its statement and source, the largest error or the figure measured, and whether it holds.

    `measured` is to be at most `tolerance`. detail: one or two sentences on what was computed. curves: name to
    rows of plain numbers, for figures.
    """

    claim: str
    source: str
    measured: float
    tolerance: float
    holds: bool
    detail: str
    curves: dict[str, list[dict[str, float | str]]] | None = None


def losses(logits: np.ndarray) -> np.ndarray:
    """Return the softmax cross-entropy of every label, -log p_j in nats, shape (..., L)."""
    return -log_softmax(logits, axis=-1)


def relative_error(measured: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest absolute difference over the largest expected magnitude."""
    return float(np.abs(measured - expected).max() / np.abs(expected).max())
