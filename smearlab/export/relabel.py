"""Labels that out-of-sample networks contradict: cleaned, or weighed down, for a training of one's own."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Relabelled:
    """For each example: its label, what the networks predict, how likely the label is, and what is made of it.

    label, predicted, cleaned: int64 (N,); weight: the mean out-of-sample probability of the label given, (N,);
    doubted: whether cleanlab takes the label for wrong.
    """

    label: np.ndarray
    predicted: np.ndarray
    weight: np.ndarray
    doubted: np.ndarray

    @property
    def cleaned(self) -> np.ndarray:
        """The label given, but the prediction where the label is doubted."""
        return np.where(self.doubted, self.predicted, self.label)

    def wrong(self, true: np.ndarray) -> tuple[int, int, int]:
        """Return how many true labels (N,) are known (0 or more), and how many labels, given and cleaned, differ."""
        known = true >= 0
        return int(known.sum()), int((self.label != true)[known].sum()), int((self.cleaned != true)[known].sum())

    def frame(self, class_names: list[str], examples: list[str] | np.ndarray) -> pd.DataFrame:
        """Return the table that is written: a row an example, classes by their names."""
        names = np.array(class_names, dtype=object)
        return pd.DataFrame(
            {
                "example": examples,
                "label": names[self.label],
                "predicted": names[self.predicted],
                "doubted": self.doubted.astype(int),
                "cleaned_label": names[self.cleaned],
                "weight": self.weight.round(6),
            }
        )


def relabel(observed: np.ndarray, probabilities: np.ndarray) -> Relabelled:
    """Return what the out-of-sample probabilities (R, N, L) of R networks, averaged, say of labels observed int64 (N,).

    A label is doubted by cleanlab's find_label_issues (Northcutt et al. 2021): of each class as many as the confident
    joint counts as wrong, those with the least probability.
    """
    from cleanlab.filter import find_label_issues

    mean = probabilities.astype(np.float64).mean(axis=0)
    mean /= mean.sum(axis=1, keepdims=True)
    doubted = find_label_issues(observed, mean, n_jobs=1)
    return Relabelled(observed, mean.argmax(axis=1), mean[np.arange(len(observed)), observed], np.asarray(doubted))
