"""In a linear model with squared loss, smoothing scales the weights by 1-α and shifts all classes alike."""

import numpy as np

from smearlab.claims._claim import Claim, relative_error
from smearlab.core.seeds import numpy_generator

ORDER = 3
SOURCE = "Lukasik et al. 2020, section on smoothing as regularisation, linear case"
N, D, L = 200, 12, 5
ALPHAS = (0.1, 0.4, 0.8)
TOLERANCE = 1e-10


def check() -> Claim:
    """Fit smoothed targets by least squares and compare with the formula, for raw and for centred inputs."""
    rng = numpy_generator("claims", "linear_shrinkage", 0)
    inputs = rng.normal(size=(N, D)) + rng.normal(size=D)
    labels = rng.integers(L, size=N)
    centred = inputs - inputs.mean(axis=0)
    general = max(formula_error(inputs, labels, alpha) for alpha in ALPHAS)
    pure = max(shrinkage_error(centred, labels, alpha) for alpha in ALPHAS)
    return Claim(
        claim=(
            "With squared loss and a linear model the smoothed weights are (1 − α)W* + (α/L)(XᵀX)⁻¹XᵀJ; for centred "
            "inputs they are (1 − α)W*, pure shrinkage."
        ),
        source=SOURCE,
        measured=max(general, pure),
        tolerance=TOLERANCE,
        holds=max(general, pure) <= TOLERANCE,
        detail=(
            f"{N} random inputs in {D} dimensions, {L} classes, α in {', '.join(map(str, ALPHAS))}: largest relative "
            f"error of the weights, {general:.1e} for raw inputs and {pure:.1e} for centred ones."
        ),
    )


def fitted(inputs: np.ndarray, labels: np.ndarray, alpha: float) -> np.ndarray:
    """Return the least-squares weights (D, L) on smoothed one-hot targets; inputs (N, D), labels (N,) in 0..L-1."""
    targets = (1 - alpha) * np.eye(L)[labels] + alpha / L
    return np.linalg.lstsq(inputs, targets, rcond=None)[0]


def formula_error(inputs: np.ndarray, labels: np.ndarray, alpha: float) -> float:
    """Return the relative error of the paper's formula for the smoothed weights."""
    shift = np.linalg.solve(inputs.T @ inputs, inputs.T @ np.ones((len(inputs), L)))
    expected = (1 - alpha) * fitted(inputs, labels, 0.0) + alpha / L * shift
    return relative_error(fitted(inputs, labels, alpha), expected)


def shrinkage_error(centred: np.ndarray, labels: np.ndarray, alpha: float) -> float:
    """Return the relative error of pure shrinkage, for inputs (N, D) whose columns have mean 0."""
    return relative_error(fitted(centred, labels, alpha), (1 - alpha) * fitted(centred, labels, 0.0))
