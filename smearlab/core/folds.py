"""Stratified folds: each holds its share of every class."""

import numpy as np

from smearlab.core.errors import UserError


def stratified_folds(strata: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold 0..count-1 of each example, int64 (N,); strata: integers (N,).

    In size and in the number of each stratum, any two folds differ by at most one. UserError for fewer examples
    than folds.
    """
    if len(strata) < count:
        raise UserError(f"{len(strata)} examples cannot be put into {count} folds")
    # Dealt like cards, one stratum after the other, after shuffling within the strata and the order of the folds.
    order = np.lexsort((rng.permutation(len(strata)), strata))
    folds = np.empty(len(strata), dtype=np.int64)
    folds[order] = rng.permutation(count)[np.arange(len(strata)) % count]
    return folds
