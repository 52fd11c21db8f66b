"""Which examples of a part are worth a true label: drawn at random, or from strata, with what each stands for."""

from collections.abc import Sequence

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.seeds import numpy_generator

LEAST = 2  # of a stratum, so that its spread can be seen


def draw(strata: Sequence[str], n: int, seed: int, *, even: bool = False) -> np.ndarray:
    """Return the positions of n of the N examples, sorted; within a stratum each has the same chance.

    strata: a name for each example (N,). A stratum gets its share of n, at least two and at most all it has; `even`:
    the same number from each, which suits strata of which a small one decides. UserError for an n that is too small
    or too large.
    """
    names, inverse, sizes = np.unique(np.array(strata), return_inverse=True, return_counts=True)
    if not sum(np.minimum(sizes, LEAST)) <= n <= len(strata):
        least = int(sum(np.minimum(sizes, LEAST)))
        raise UserError(f"--n is {n}; {len(strata)} examples can be drawn, and {least} are the least of these strata")
    taken = _shares(sizes, n, even=even)
    rng = numpy_generator("gold", "labels", seed, n)
    picked = [rng.choice(np.flatnonzero(inverse == k), taken[k], replace=False) for k in range(len(names))]
    return np.sort(np.concatenate(picked))


def _shares(sizes: np.ndarray, n: int, *, even: bool) -> np.ndarray:
    """Return how many to draw of each stratum: n in all, by size or evenly, within what each has."""
    weights = np.ones(len(sizes)) if even else sizes / sizes.sum()
    taken = np.minimum(sizes, LEAST)
    while taken.sum() < n:
        behind = np.where(taken < sizes, weights / (taken + 1), -1.0)
        taken[int(behind.argmax())] += 1
    return np.asarray(taken)
