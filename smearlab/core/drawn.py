"""Examples of a part that were drawn to be labelled, with the chances that make their mean that of the part."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Drawn:
    """Examples drawn with known chances: the stratum of each, whole numbers (n,), and the size of each stratum (H,).

    Within a stratum every example had the same chance; the strata together are the part that was drawn from.
    """

    stratum: np.ndarray
    sizes: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """Weights (n,) with the sum 1: an example stands for its stratum's size over the examples drawn from it.

        With them a mean is unbiased for that of the whole part (Horvitz & Thompson 1952).
        """
        drawn = np.bincount(self.stratum, minlength=len(self.sizes))
        weights = (self.sizes / np.maximum(drawn, 1))[self.stratum]
        return np.asarray(weights / weights.sum())

    def variance(self, values: np.ndarray) -> float:
        """Return the variance of the weighted mean of values (n,) over draws of examples, of each stratum apart.

        A stratum with a single example borrows the mean of all, so that its spread counts rather than vanishes.
        """
        drawn = np.bincount(self.stratum, minlength=len(self.sizes))[self.stratum]
        sums = np.bincount(self.stratum, values, minlength=len(self.sizes))[self.stratum]
        centre = np.where(drawn > 1, sums / drawn, np.sum(self.weights * values))
        correction = np.where(drawn > 1, drawn / np.maximum(drawn - 1, 1), 1.0)
        return float(np.sum(correction * np.square(self.weights * (values - centre))))
