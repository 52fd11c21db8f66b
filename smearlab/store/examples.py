"""What networks predicted of each example, as the evaluation stored it, joined over the blocks of a cell."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smearlab.store.npz import read_npz

SEEDS = ("noise_seed", "seed")


@dataclass(frozen=True)
class Predicted:
    """Predicted classes of one part, whole numbers (R, N), and the R (noise seed, training seed) pairs of the rows.

    A network without outputs is left out.
    """

    classes: np.ndarray
    replicates: list[tuple[int, int]]

    def of(self, replicates: Iterable[tuple[int, int]]) -> np.ndarray:
        """Return the rows of some replicates, in their order."""
        return self.classes[[self.replicates.index(replicate) for replicate in replicates]]


def read_predicted(paths: Iterable[str | Path], part: str, n_classes: int) -> Predicted:
    """Read the predicted classes of `part` (train, validation, test) from the examples.npz of a cell's blocks."""
    classes, replicates = [], []
    for path in paths:
        arrays = read_npz(path, (f"{part}_predicted", *SEEDS))
        rows = arrays[f"{part}_predicted"]
        there = (rows < n_classes).all(axis=1)
        classes.append(rows[there])
        replicates += [(int(n), int(s)) for n, s in zip(*(arrays[key][there] for key in SEEDS), strict=True)]
    return Predicted(np.concatenate(classes) if classes else np.zeros((0, 0), np.uint8), replicates)


def spread_of_difference(one: Predicted, other: Predicted) -> float | None:
    """Return the most that the difference of two cells' correctness can vary over examples, in 0..1.

    The root mean square over examples of the share of shared replicates whose two predictions differ: only there can
    one be right and the other wrong. None without a shared replicate.
    """
    shared = [replicate for replicate in one.replicates if replicate in other.replicates]
    if not shared:
        return None
    differ = (one.of(shared) != other.of(shared)).mean(axis=0)
    return float(np.sqrt(np.mean(differ**2)))
