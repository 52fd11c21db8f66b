"""Symmetric noise on the plain loss is label smoothing in expectation, and backward correction undoes it."""

import numpy as np

from smearlab.claims._claim import Claim, losses, relative_error
from smearlab.seeds import numpy_generator

ORDER = 2
SOURCE = "Lukasik et al. 2020, section 3; Patrini et al. 2017, theorem 1"
ALPHAS = (0.1, 0.5, 0.9)
SOLVED = (2, 3, 5, 10, 30, 100, 300, 1000)
TOLERANCE = 1e-12


def check() -> Claim:
    """Enumerate the noise for L = 2…1000 and compare with the smoothed loss; the same for the backward loss."""
    rng = numpy_generator("claims", "expected_noise", 0)
    smoothing = max(smoothing_error(3 * rng.normal(size=n), alpha) for n in range(2, 1001) for alpha in ALPHAS)
    backward = max(backward_error(3 * rng.normal(size=n), alpha) for n in SOLVED for alpha in ALPHAS)
    return Claim(
        claim=(
            "The expectation of the plain loss over symmetric noise is the smoothed loss with α = ρL/(L − 1), and that "
            "of the backward loss is the plain loss on the true label."
        ),
        source=SOURCE,
        measured=max(smoothing, backward),
        tolerance=TOLERANCE,
        holds=max(smoothing, backward) <= TOLERANCE,
        detail=(
            f"Random logits, α in {', '.join(map(str, ALPHAS))}, every true label, expectations by enumeration. "
            f"Smoothing: every L from 2 to 1000, largest relative error {smoothing:.1e}. Backward, by solving with T: "
            f"L in {', '.join(map(str, SOLVED))}, {backward:.1e}."
        ),
    )


def expected_over_noise(by_label: np.ndarray, rate: float) -> np.ndarray:
    """Return for each true label the mean of a loss over symmetric noise; by_label: the loss of each label (L,)."""
    others = by_label.sum() - by_label
    return (1 - rate) * by_label + rate * others / (len(by_label) - 1)


def smoothing_error(logits: np.ndarray, alpha: float) -> float:
    """Return the relative error between the noisy plain loss and the smoothed one, at logits (L,)."""
    n = len(logits)
    plain = losses(logits)
    smoothed = (1 - alpha) * plain + alpha / n * plain.sum()
    return relative_error(expected_over_noise(plain, alpha * (n - 1) / n), smoothed)


def backward_error(logits: np.ndarray, alpha: float) -> float:
    """Return the relative error between the noisy backward loss, T⁻¹ ℓ by elimination, and the plain one."""
    n = len(logits)
    plain = losses(logits)
    corrected = np.linalg.solve((1 - alpha) * np.eye(n) + alpha / n, plain)
    return relative_error(expected_over_noise(corrected, alpha * (n - 1) / n), plain)
