"""Noise of any transition matrix, read from a file; T[true, observed], rows summing to 1."""

import numpy as np

from smearlab.core.matrix_file import read_matrix
from smearlab.core.transition import check_transition

RATED = False


def transition(n_classes: int, *, rate: float | None = None, path: str) -> np.ndarray:
    """Return T, (L, L), from a .npy, .csv (L lines of L numbers, no header) or .json (a list of rows) file.

    Raises UserError for a file that cannot be read, or whose content is no transition matrix of L classes.
    """
    return check_transition(read_matrix(path, "noise 'matrix'"), f"noise 'matrix': {path}", n_classes)
