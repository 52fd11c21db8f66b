"""Transition matrices: T[i, j] = P(observed j | true i), float64 (L, L), rows sum to 1."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.seeds import numpy_generator

CONDITION_LIMIT = 1e6
EM_STEPS = 500


def symmetric(n_classes: int, rate: float) -> np.ndarray:
    """Return T of a wrong label with probability `rate`, uniform over the L - 1 other classes."""
    transition = np.full((n_classes, n_classes), rate / (n_classes - 1))
    np.fill_diagonal(transition, 1.0 - rate)
    return transition


def from_alpha(n_classes: int, alpha: float) -> np.ndarray:
    """Return T = (1 - alpha) I + (alpha / L) J, the T of a free alpha in [0, 1).

    Source: Lukasik et al. 2020, section 3; alpha = rate * L / (L - 1) gives `symmetric`.
    """
    return (1.0 - alpha) * np.eye(n_classes) + alpha / n_classes


def flips(n_classes: int, rate: float, class_map: Sequence[int]) -> np.ndarray:
    """Return T that moves class i to class_map[i] with probability `rate`; a class mapped to itself stays."""
    transition = np.eye(n_classes)
    for true, other in enumerate(class_map):
        if other != true:
            transition[true, true] = 1.0 - rate
            transition[true, other] = rate
    return transition


def counts(true: np.ndarray, observed: np.ndarray, n_classes: int) -> np.ndarray:
    """Count (true, observed) pairs, int64 (L, L); examples with an unknown (negative) label are left out."""
    known = (true >= 0) & (observed >= 0)
    pairs = true[known].astype(np.int64) * n_classes + observed[known]
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def realised(true: np.ndarray, observed: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the T that the labels show; a class without examples has a row of NaN."""
    pairs = counts(true, observed, n_classes)
    with np.errstate(invalid="ignore"):
        return pairs / pairs.sum(axis=1, keepdims=True)


def overall_rate(transition: np.ndarray, shares: np.ndarray | None = None) -> float:
    """Return P(observed != true); `shares` (L,) are the class shares, equal classes without them."""
    wrong = 1.0 - np.diag(transition)
    return float(wrong.mean() if shares is None else wrong @ shares / shares.sum())


def matched(transition: np.ndarray, shares: np.ndarray | None = None) -> np.ndarray:
    """Return the symmetric T of the same overall rate."""
    return symmetric(len(transition), overall_rate(transition, shares))


def perturb(transition: np.ndarray, epsilon: float, seed: int = 0) -> np.ndarray:
    """Return T with every row moved by a total variation of `epsilon` in [0, 1] towards a random row.

    The random rows are uniform over the simplex (named stream "perturbation"). A row that is nearer than
    epsilon to its random row becomes that row, so the result is always a transition matrix.
    """
    random_rows = numpy_generator("perturbation", "transition", seed).dirichlet(
        np.ones(len(transition)), size=len(transition)
    )
    distance = row_errors(random_rows, transition)
    step = np.minimum(1.0, epsilon / np.maximum(distance, np.finfo(float).tiny))[:, None]
    return (1.0 - step) * transition + step * random_rows


def class_shares(transition: np.ndarray, observed_shares: np.ndarray) -> np.ndarray:
    """Return the shares (L,) of the true classes under which the observed shares (L,) are most likely.

    By expectation-maximisation from equal shares, so the result is never negative.
    """
    shares = np.full(len(transition), 1.0 / len(transition))
    for _ in range(EM_STEPS):
        joint = shares[:, None] * transition
        expected = joint.sum(axis=0)
        shares = (joint / np.where(expected > 0.0, expected, 1.0)) @ observed_shares
        shares /= shares.sum()
    return shares


def row_errors(estimate: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """Return the total variation distance of each row, (L,), in 0..1."""
    return np.abs(estimate - transition).sum(axis=1) / 2.0


def errors(estimate: np.ndarray, transition: np.ndarray) -> dict[str, Any]:
    """Return how far an estimate is from the true T: row-wise total variation, Frobenius norm, conditions."""
    rows = row_errors(estimate, transition)
    return {
        "row_total_variation": rows.tolist(),
        "mean_total_variation": float(rows.mean()),
        "max_total_variation": float(rows.max()),
        "frobenius": float(np.linalg.norm(estimate - transition)),
        "condition_number": condition_number(estimate),
        "condition_number_true": condition_number(transition),
    }


def condition_number(transition: np.ndarray) -> float | None:
    """Return the 2-norm condition number; None for a singular T, whose number is infinite."""
    largest, *_, smallest = np.linalg.svd(transition, compute_uv=False)
    return None if smallest <= largest * np.finfo(float).eps else float(largest / smallest)


def check_transition(matrix: Any, where: str, n_classes: int | None = None) -> np.ndarray:
    """Return a matrix as a float64 transition matrix.

    Raises UserError, naming `where`, if it is not square of `n_classes`, not finite, negative, or if a row
    does not sum to 1 within 1e-6; rows are then divided by their sums.
    """
    try:
        transition = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"{where}: a transition matrix has a number in every place") from None
    size = n_classes if n_classes is not None else len(transition) if transition.ndim else 0
    if transition.shape != (size, size) or size < 2:
        raise UserError(f"{where}: transition matrix of shape {transition.shape}, needed ({size}, {size})")
    if not np.isfinite(transition).all() or (transition < 0).any():
        raise UserError(f"{where}: a transition matrix has finite entries of 0 or more")
    sums = transition.sum(axis=1)
    worst = int(np.abs(sums - 1.0).argmax())
    if abs(sums[worst] - 1.0) > 1e-6:
        raise UserError(f"{where}: row {worst} of the transition matrix sums to {sums[worst]:.6g}, not to 1")
    return transition / sums[:, None]


def check_invertible(transition: np.ndarray, where: str, limit: float = CONDITION_LIMIT) -> np.ndarray:
    """Return T if it can be inverted; UserError with its condition number if that is above `limit`."""
    number = condition_number(transition)
    if number is None or number > limit:
        raise UserError(
            f"{where}: the transition matrix cannot be inverted safely: condition number {condition_text(number)}, "
            f"at most {limit:g} is allowed"
        )
    return transition


def condition_text(number: float | None) -> str:
    """Return a condition number as text; None is that of a singular matrix."""
    return "infinite (singular)" if number is None else f"{number:.3g}"


def to_lists(transition: np.ndarray | None) -> list[list[float | None]] | None:
    """Return T as nested lists for JSON, with None for NaN."""
    if transition is None:
        return None
    return [[None if np.isnan(value) else float(value) for value in row] for row in transition]


def from_lists(rows: list[list[float | None]]) -> np.ndarray:
    """Return T from JSON; a row without numbers (no such class) becomes that of the identity."""
    transition = np.array(rows, dtype=np.float64)
    empty = np.isnan(transition).any(axis=1)
    transition[empty] = np.eye(len(transition))[empty]
    return transition
