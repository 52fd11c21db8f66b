"""The noisy labels that came with the data; nothing is drawn.

The true T is then unknown; with clean labels beside them the realised T stands for it.
"""

import numpy as np

from smearlab.core.errors import UserError
from smearlab.noises._context import NoiseContext, Observed

DRAWS = False
RATED = False
GIVEN = "labels"


def observe(context: NoiseContext, rng: np.random.Generator, *, rate: float | None = None) -> Observed:
    """Return the data set's own noisy labels; UserError if it has none."""
    if context.noisy_labels is None:
        raise UserError(f"noise 'labels': data set {context.dataset_kind!r} brings no noisy labels")
    return Observed(context.noisy_labels.astype(np.int64))
