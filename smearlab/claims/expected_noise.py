"""Symmetric noise on the plain loss is label smoothing in expectation, and backward correction undoes it."""

import numpy as np

from smearlab.claims._claim import Claim, losses, relative_error
from smearlab.core.seeds import numpy_generator

ORDER = 2
SOURCE = "Lukasik et al. 2020, section 3; Patrini et al. 2017, theorem 1"
ALPHAS = (0.1, 0.5, 0.9)
CLASSES = range(2, 1001)
SOLVED = (2, 3, 5, 10, 30)  # larger systems come out differently with the number of threads
TOLERANCE = 1e-12


def check() -> Claim:
    """Enumerate the noise for L = 2…1000 and compare with the smoothed loss; the same for the backward loss."""
    rng = numpy_generator("claims", "expected_noise", 0)
    cases = [(3 * rng.normal(size=n), alpha) for n in CLASSES for alpha in ALPHAS]
    smoothing = max(smoothing_error(logits, alpha) for logits, alpha in cases)
    backward = max(backward_error(logits, alpha) for logits, alpha in cases)
    solved = max(inverse_error(logits, alpha) for logits, alpha in cases if len(logits) in SOLVED)
    error = max(smoothing, backward, solved)
    return Claim(
        claim=(
            "The expectation of the plain loss over symmetric noise is the smoothed loss with α = ρL/(L − 1), and that "
            "of the backward loss is the plain loss on the true label."
        ),
        source=SOURCE,
        measured=error,
        tolerance=TOLERANCE,
        holds=error <= TOLERANCE,
        detail=(
            f"Random logits, every L from 2 to 1000, α in {', '.join(map(str, ALPHAS))}, every true label, all by "
            f"enumeration. Largest relative error: smoothing {smoothing:.1e}, backward {backward:.1e}, its inverse "
            f"against elimination with T for L in {', '.join(map(str, SOLVED))} {solved:.1e}."
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


def backward_loss(by_label: np.ndarray, alpha: float) -> np.ndarray:
    """Return T⁻¹ ℓ with T⁻¹ = (I - (alpha/L) J) / (1 - alpha), the loss of each label (L,)."""
    return (by_label - alpha * by_label.mean()) / (1 - alpha)


def backward_error(logits: np.ndarray, alpha: float) -> float:
    """Return the relative error between the noisy backward loss and the plain one, at logits (L,)."""
    plain, n = losses(logits), len(logits)
    return relative_error(expected_over_noise(backward_loss(plain, alpha), alpha * (n - 1) / n), plain)


def inverse_error(logits: np.ndarray, alpha: float) -> float:
    """Return the relative error of the backward loss against the solution of T b = ℓ by elimination."""
    plain, n = losses(logits), len(logits)
    return relative_error(backward_loss(plain, alpha), np.linalg.solve((1 - alpha) * np.eye(n) + alpha / n, plain))
