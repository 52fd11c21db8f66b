"""A paired difference whose examples and replicates are both a draw: what a small test set with true labels shows."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from smearlab.core.drawn import Drawn
from smearlab.statistics.paired import FEWEST, Difference, is_crossed


@dataclass(frozen=True)
class DrawnDifference(Difference):
    """A Difference with what each example contributes: by_example (R, n), rows in the order of `values`."""

    by_example: np.ndarray
    drawn: Drawn

    @property
    def variance(self) -> float:
        """The variance of the mean difference over draws of examples and of replicates.

        Two crossed random effects: the clustering by examples plus that by replicates, less what both count
        (Cameron, Gelbach & Miller 2011), and never less than either alone.
        """
        examples, replicates, both = self._parts
        return max(examples + replicates - both, examples, replicates)

    @property
    def _parts(self) -> tuple[float, float, float]:
        r = len(self.by_example)
        examples = self.drawn.variance(self.by_example.mean(axis=0))
        replicates = float(np.var(self.values, ddof=1)) / self.n if self.n > 1 else 0.0
        rest = self.by_example - self.by_example.mean(axis=0)
        both = float(np.sum(np.square(self.drawn.weights * rest))) / (r * (r - 1)) if r > 1 else 0.0
        return examples, replicates, both

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the variance (Satterthwaite 1946), from those of examples and of replicates."""
        examples, replicates, _ = self._parts
        terms = [(examples, self.by_example.shape[1] - 1), (replicates, self.n - 1)]
        parts = sum(value**2 / degrees for value, degrees in terms if degrees > 0)
        return float((examples + replicates) ** 2 / parts) if parts else 1.0

    @property
    def testable(self) -> bool:
        """Whether there are enough replicates and examples, and some spread among these."""
        return self.n >= FEWEST and self.by_example.shape[1] >= FEWEST and self.variance > 0

    @property
    def all_equal(self) -> bool:
        """Whether nothing varies: neither examples nor replicates."""
        return bool(self.values) and self.variance == 0

    def interval(self, level: float = 0.95) -> tuple[float, float] | None:
        """Return the unadjusted t interval of the mean difference; None when it is not testable."""
        mean = self.mean
        if not self.testable or mean is None:
            return None
        half = float(stdtrit(self.degrees, (1 + level) / 2)) * np.sqrt(self.variance)
        return float(mean - half), float(mean + half)

    @property
    def p_value(self) -> float | None:
        """Two-sided p of the t-test against no difference; None when it is not testable."""
        mean = self.mean
        if not self.testable or mean is None:
            return None
        return float(2 * stdtr(self.degrees, -abs(mean) / np.sqrt(self.variance)))

    @property
    def spread(self) -> float:
        """The standard deviation over examples, of an example drawn at random: what more of them would average."""
        return float(np.sqrt(self.drawn.variance(self.by_example.mean(axis=0)) * self.by_example.shape[1]))


def drawn_difference(by_replicate: dict[tuple[int, int], np.ndarray], drawn: Drawn) -> DrawnDifference:
    """Return the weighted differences of each replicate, means per noise seed in a crossed design, with the examples'.

    by_replicate: by (noise seed, training seed) the difference of correctness of each example, -1, 0 or 1 (n,).
    """
    groups: dict[tuple[int, ...], list[np.ndarray]] = {}
    crossed = is_crossed(dict.fromkeys(by_replicate, 0.0))
    for replicate, values in sorted(by_replicate.items()):
        groups.setdefault(replicate[:1] if crossed else replicate, []).append(values)
    rows = np.array([np.mean(values, axis=0) for values in groups.values()]).reshape(len(groups), len(drawn.stratum))
    return DrawnDifference(tuple((rows @ drawn.weights).tolist()), rows, drawn)
