"""Theorem 1: the regulariser in label smoothing is least where all logits are equal."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from smearlab.claims._claim import Claim
from smearlab.core.seeds import numpy_generator

ORDER = 4
SOURCE = "Lukasik et al. 2020, theorem 1"
N, D, L = 60, 4, 6
STARTS = 10
TOLERANCE = 1e-9


def check() -> Claim:
    """Minimise Ω of a linear model from random starts; compare with L log L and look at the logits reached."""
    rng = numpy_generator("claims", "omega_minimum", 0)
    inputs = rng.normal(size=(N, D)) + 0.5
    starts = [2 * rng.normal(size=(D, L)) for _ in range(STARTS)]
    ends = [minimised(inputs, start) for start in starts]
    excess = max(abs(omega(inputs @ end) - L * float(np.log(L))) for end in ends)
    spread = max(float(np.std(inputs @ end, axis=1).max()) for end in ends)
    drift = max(float(np.abs((end - start).mean(axis=1)).max()) for start, end in zip(starts, ends, strict=True))
    largest = min(float(np.abs(inputs @ end).max()) for end in ends)
    return Claim(
        claim=(
            "Ω, what smoothing adds to the plain loss, is least where all logits of an example are equal; zero "
            "weights are one such minimum."
        ),
        source=SOURCE,
        measured=excess,
        tolerance=TOLERANCE,
        holds=excess <= TOLERANCE,
        detail=(
            f"A linear model of {N} inputs and {L} classes, from {STARTS} random starts: Ω ends within {excess:.1e} "
            f"of L log L, the logits of each example within {spread:.1e} of their mean. Only differences of logits "
            f"shrink: the mean weight vector of the classes moved by {drift:.1e} at most, so the weights need not go "
            f"to zero (the largest logit at the end is {largest:.2g} or more)."
        ),
    )


def omega(logits: np.ndarray) -> float:
    """Return Ω: the mean over examples of L logsumexp(f) - sum_j f_j; logits (N, L)."""
    return float(np.mean(logits.shape[1] * logsumexp(logits, axis=1) - logits.sum(axis=1)))


def omega_gradient(inputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the gradient of Ω by the weights (D, L) of a linear model on inputs (N, D)."""
    slopes = weights.shape[1] * softmax(inputs @ weights, axis=1) - 1
    return inputs.T @ slopes / len(inputs)


def minimised(inputs: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the weights (D, L) at which a quasi-Newton descent of Ω from `start` ends."""
    fit = minimize(  # type: ignore[call-overload]  # of lambdas, which have no types
        lambda w: omega(inputs @ w.reshape(start.shape)),
        start.ravel(),
        jac=lambda w: omega_gradient(inputs, w.reshape(start.shape)).ravel(),
        method="BFGS",
        options={"gtol": 1e-8},
    )
    return fit.x.reshape(start.shape)
