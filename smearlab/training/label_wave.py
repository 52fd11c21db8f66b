"""Label Wave: where to stop without a validation label (Yuan, Feng, Liu 2024, arXiv 2502.07551).

Predictions on the training set change less and less from epoch to epoch while what is common is learnt, and more again
when single wrong labels are. The network is kept at the first local minimum of these changes, smoothed by a moving
average. Observed labels, validation and test take no part in it.
"""

from collections.abc import Sequence

WINDOW = 3  # epochs in the moving average; the authors' public code writes the counts and leaves the smoothing open


def first_minimum(changes: Sequence[float | None]) -> int | None:
    """Return the epoch (from 1) of the first local minimum of the smoothed changes, None while there is none.

    changes: for each epoch so far the share of training examples predicted otherwise than the epoch before; None for
    the first. An epoch is a minimum when the moving average over WINDOW epochs has fallen before it and rises after
    it. A moving average rises where the value that enters is larger than the one that leaves, so nothing is summed.
    """
    known = [value for value in changes if value is not None]
    fallen = False
    for leaving, entering in zip(range(len(known)), range(WINDOW, len(known)), strict=False):
        if fallen and known[entering] > known[leaving]:
            return len(changes) - len(known) + entering
        fallen |= known[entering] < known[leaving]
    return None
