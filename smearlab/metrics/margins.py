"""Margins of right and of wrong training labels (the density picture of Lukasik et al. 2020)."""

import numpy as np

from smearlab.core.predictions import Predictions
from smearlab.metrics._shared import density, margin, mean, right

# One grid for all networks, so that densities can be averaged over replicates and laid over each other:
# fine around zero, coarse where only an unregularised network goes.
EDGES = np.sinh(np.linspace(-4.5, 4.5, 61))


def measure(p: Predictions) -> dict[str, float | list | None]:
    """Return the mean margin (in logits) of the observed label, and its density, on training examples.

    Groups: observed label right, observed label wrong. Curve `margins`: {low, high, right, wrong}, densities
    per logit over 60 bins from -45 to 45. Null for an empty group.
    """
    margins = margin(p.train.logits, p.train.observed)
    groups = {"right": margins[right(p.train)], "wrong": margins[p.train.wrong]}
    return {
        "margin_right_part": mean(groups["right"]),
        "margin_wrong_part": mean(groups["wrong"]),
        "margins": density(groups, EDGES),
    }
