"""Backward correction at α is label smoothing at the negative strength -α/(1-α)."""

import numpy as np

from smearlab.claims._claim import Claim, losses, relative_error
from smearlab.claims.expected_noise import backward_loss, expected_over_noise
from smearlab.core.seeds import numpy_generator

ORDER = 6
SOURCE = "Lukasik et al. 2020, section 3; Wei et al. 2022"
ALPHAS = (0.05, 0.2, 0.5, 0.8)
CLASSES = range(2, 1001)
TOLERANCE = 1e-12


def check() -> Claim:
    """Compare the loss smoothed at -α/(1-α) with the backward loss: by its formula, and by what T makes of it."""
    rng = numpy_generator("claims", "backward_is_negative_smoothing", 0)
    error = max(mismatch(3 * rng.normal(size=n), alpha) for n in CLASSES for alpha in ALPHAS)
    return Claim(
        claim="Backward correction at α is label smoothing at −α/(1 − α): it sharpens what smoothing softens.",
        source=SOURCE,
        measured=error,
        tolerance=TOLERANCE,
        holds=error <= TOLERANCE,
        detail=(
            f"Losses of every label at random logits, every L from 2 to 1000, α in {', '.join(map(str, ALPHAS))}: "
            "largest relative error between the smoothed loss and T⁻¹ ℓ, and between T times the smoothed loss and ℓ."
        ),
    )


def mismatch(logits: np.ndarray, alpha: float) -> float:
    """Return the larger of the two relative errors, at logits (L,)."""
    n, plain = len(logits), losses(logits)
    negative = -alpha / (1 - alpha)
    smoothed = (1 - negative) * plain + negative * plain.mean()
    undone = expected_over_noise(smoothed, alpha * (n - 1) / n)
    return max(relative_error(smoothed, backward_loss(plain, alpha)), relative_error(undone, plain))
