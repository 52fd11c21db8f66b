"""An interval for replicates and test examples that are both drawn: would other images have said the same?"""

import numpy as np
from scipy.special import ndtri, stdtrit

from smearlab.statistics.cells import Replicate
from smearlab.statistics.paired import FEWEST, independent
from smearlab.store.correct import Correct


def two_way(one: Correct, other: Correct, level: float = 0.95) -> tuple[float, float] | None:
    """Return the interval of the difference in accuracy of two cells that share replicates and test examples.

    Each replicate and example gives a difference of -1, 0 or 1. The variance of their mean has a part of the
    replicates, s²/n with n - 1 degrees of freedom, and one of the examples, the excess of the mean square between
    examples over that of the rest, divided by n·N (the random effects of a two-way layout). The half-widths of the
    two add as squares (Howe 1974), so that the interval is never narrower than that of replicates alone. A crossed
    design enters by its means per noise seed. None with fewer than three independent replicates or two examples.
    """
    shared = [replicate for replicate in one.replicates if replicate in other.replicates]
    if not shared:
        return None
    found = _units({r: _row(one, r) - _row(other, r) for r in shared})
    n, examples = found.shape
    if n < FEWEST or examples < 2:
        return None
    of_replicates = stdtrit(n - 1, (1 + level) / 2) * found.mean(axis=1).std(ddof=1) / np.sqrt(n)
    of_examples = ndtri((1 + level) / 2) * np.sqrt(_variance_of_examples(found))
    half = float(np.hypot(of_replicates, of_examples))
    mean = float(found.mean())
    return mean - half, mean + half


def _variance_of_examples(found: np.ndarray) -> float:
    """Return the part of the mean's variance that comes from drawing the examples; found: (n, N)."""
    n, examples = found.shape
    rows, columns = found.mean(axis=1), found.mean(axis=0)
    between = n * columns.var(ddof=1)
    rest = found - rows[:, None] - columns[None, :] + found.mean()
    return max(0.0, float(between - np.sum(rest**2) / ((n - 1) * (examples - 1)))) / (n * examples)


def _row(found: Correct, replicate: Replicate) -> np.ndarray:
    return found.right[found.replicates.index(replicate)].astype(float)


def _units(rows: dict[Replicate, np.ndarray]) -> np.ndarray:
    """Return the independent rows: one a replicate, or in a crossed design one a noise seed."""
    if independent(dict.fromkeys(rows, 0.0)).n == len(rows):
        return np.stack(list(rows.values()))
    seeds = sorted({noise_seed for noise_seed, _ in rows})
    return np.stack([np.mean([row for (n, _), row in rows.items() if n == seed], axis=0) for seed in seeds])
