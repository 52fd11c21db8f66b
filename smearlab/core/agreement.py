"""How far given labels agree with the clean ones, and whether that proves that they are about the same examples."""

from dataclasses import dataclass

import numpy as np

DEVIATIONS = 3.0  # above what labels of the same frequencies in random order would agree by chance


@dataclass(frozen=True)
class Agreement:
    """Of `n` examples with both labels known `same` agree; `chance` is the share that a random order would have."""

    n: int
    same: int
    chance: float

    @property
    def share(self) -> float:
        """The share that agrees, in 0..1; 1 where nothing can be compared."""
        return self.same / self.n if self.n else 1.0

    @property
    def beyond_chance(self) -> bool:
        """Whether the share is clearly above that of a random order."""
        deviation = np.sqrt(self.chance * (1.0 - self.chance) / max(self.n, 1))
        return self.share > self.chance + DEVIATIONS * deviation

    @property
    def proves(self) -> bool:
        """Whether more than half agree, and more than chance explains."""
        return self.n > 0 and 2 * self.same > self.n and self.beyond_chance


def agreement(true: np.ndarray, given: np.ndarray) -> Agreement:
    """Compare labels int (N,) with given ones, int (N,); a negative label is unknown."""
    known = (true >= 0) & (given >= 0)
    true, given = true[known], given[known]
    size = max(true.max(initial=0), given.max(initial=0)) + 1
    frequencies = [np.bincount(labels, minlength=size) / max(len(true), 1) for labels in (true, given)]
    return Agreement(len(true), int((true == given).sum()), float(frequencies[0] @ frequencies[1]))
