"""Two people's labels of the same examples: how often they agree, and how far beyond chance."""

import numpy as np
from sklearn.metrics import cohen_kappa_score


def agreement(one: np.ndarray, other: np.ndarray) -> dict[str, float | int | None]:
    """Return n, the share of examples that got the same label, and Cohen's kappa; labels int (N,), -1 left out.

    kappa is None where both gave one and the same class throughout, so that chance agrees always. None of both without
    an example that two labels speak of.
    """
    known = (one >= 0) & (other >= 0)
    n = int(known.sum())
    if not n:
        return {"n": 0, "same": None, "kappa": None}
    single = len(np.union1d(one[known], other[known])) == 1
    kappa = None if single else float(cohen_kappa_score(one[known], other[known]))
    return {"n": n, "same": float((one == other)[known].mean()), "kappa": kappa}
