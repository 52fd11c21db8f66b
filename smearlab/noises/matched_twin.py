"""Matched twin: the labels of another noise, permuted among the examples of each true class within each part.

The counts of (true, observed) pairs are exactly those of the other noise; only the link to the image is broken.
So instance-dependent or human noise stands beside class-conditional noise of the same T.
"""

import numpy as np

from smearlab.core.seeds import numpy_generator
from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._draw import draw, inner_noise

RATED = "of"


def observe(context: NoiseContext, rng: np.random.Generator, *, rate: float | None, of: dict) -> Observed:
    """Return the permuted labels of the noise `of`: {kind: NAME, further options}, at the same rate and seed."""
    kind, options = inner_noise(of)
    original = draw(kind, context, rate=rate, noise_seed=context.noise_seed, options=options)
    # A stream of its own: `rng` has just drawn the labels that are permuted here.
    permuting = numpy_generator("noise", "twin", context.noise_seed)
    observed = original.labels.copy()
    for part in np.unique(context.part):
        for true in range(context.n_classes):
            members = np.flatnonzero((context.part == part) & (context.labels == true))
            observed[members] = observed[permuting.permutation(members)]
    return Observed(observed, original.transition, doubts=original.doubts)
