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
        return self.above(self.chance)

    def above(self, share: float) -> bool:
        """Whether more agree than a share in 0..1 and the spread of that many draws explain."""
        return self.share > share + DEVIATIONS * float(np.sqrt(share * (1.0 - share) / max(self.n, 1)))

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


def proves_order(true: np.ndarray, given: np.ndarray) -> bool:
    """Whether agreement proves that rows are those of the examples, both int (N,) in the data set's own order.

    It never does where moving the rows by one would leave nearly as much of it, as in data sorted by class.
    """
    return agreement(true, given).proves and agreement(true, given).above(agreement(true[1:], given[:-1]).share)
