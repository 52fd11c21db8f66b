"""Backward correction at α is label smoothing at the negative strength -α/(1-α)."""

import numpy as np

from smearlab.claims._claim import Claim, losses, relative_error
from smearlab.seeds import numpy_generator

ORDER = 6
SOURCE = "Lukasik et al. 2020, section 3; Wei et al. 2022"
ALPHAS = (0.05, 0.2, 0.5, 0.8)
CLASSES = (2, 3, 5, 10, 30, 100, 300, 1000)
TOLERANCE = 1e-12


def check() -> Claim:
    """Compare the backward loss, by elimination with T, with the loss smoothed at -α/(1-α), for L = 2…1000."""
    rng = numpy_generator("claims", "backward_is_negative_smoothing", 0)
    error = max(mismatch(3 * rng.normal(size=n), alpha) for n in CLASSES for alpha in ALPHAS)
    return Claim(
        claim="Backward correction at α is label smoothing at −α/(1 − α): it sharpens what smoothing softens.",
        source=SOURCE,
        measured=error,
        tolerance=TOLERANCE,
        holds=error <= TOLERANCE,
        detail=(
            f"Losses of every label at random logits, α in {', '.join(map(str, ALPHAS))}, L in "
            f"{', '.join(map(str, CLASSES))}: largest relative error between T⁻¹ ℓ and the smoothed loss."
        ),
    )


def mismatch(logits: np.ndarray, alpha: float) -> float:
    """Return the relative error between the two losses of every label at logits (L,)."""
    n, plain = len(logits), losses(logits)
    backward = np.linalg.solve((1 - alpha) * np.eye(n) + alpha / n, plain)
    negative = -alpha / (1 - alpha)
    return relative_error((1 - negative) * plain + negative * plain.mean(), backward)
