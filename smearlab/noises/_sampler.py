"""The one way to draw labels: a uniform number per example, through the inverse distribution."""

import numpy as np


def sample_rows(probabilities: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Draw one class per row: probabilities (N, L), uniforms (N,) in [0, 1) -> int64 (N,).

    Example i depends on its own row and its own uniform only, and a class of probability 0 is never drawn.
    """
    cumulative = np.cumsum(probabilities, axis=1)
    drawn = (cumulative <= uniforms[:, None]).sum(axis=1)
    # Rounding can leave the last sum below 1; a uniform above it belongs to the last possible class.
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(drawn, last).astype(np.int64)


def sample_transition(transition: np.ndarray, labels: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Draw observed labels from T[label]: labels int64 (N,), uniforms (N,) in [0, 1) -> int64 (N,)."""
    observed = np.empty(len(labels), dtype=np.int64)
    for true in np.unique(labels):
        of_class = labels == true
        rows = np.broadcast_to(transition[true], (of_class.sum(), len(transition)))
        observed[of_class] = sample_rows(rows, uniforms[of_class])
    return observed
