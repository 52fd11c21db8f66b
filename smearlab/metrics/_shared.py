"""What several metrics are made of."""

from itertools import pairwise

import numpy as np
from scipy.special import log_softmax

from smearlab.core import scores
from smearlab.core.predictions import Part, Predictions


def mean(values: np.ndarray) -> float | None:
    """Return the mean in float64, or None of an empty array."""
    return float(values.mean(dtype=np.float64)) if len(values) else None


def accuracy(part: Part, stated: np.ndarray, among: np.ndarray | None = None) -> float | None:
    """Return the share of examples with a known stated label on which the network predicts it.

    stated: int64 (N,), -1 unknown. among: bool (N,), the examples that count (all by default).
    None where no example counts.
    """
    counted = stated >= 0 if among is None else (stated >= 0) & among
    return mean((part.predicted == stated)[counted])


def recalls(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Return the recall of each class, float64 (L,), NaN without an example, and the examples of each, int64 (L,)."""
    known = part.labels >= 0
    return scores.recalls(part.predicted[known], part.labels[known], part.logits.shape[1])


def by_measure(measure: str, p: Predictions) -> dict[str, float | None]:
    """Return one of core/scores.py in place of each accuracy that networks are compared, chosen and judged by.

    Its halves of the validation part are those of the metric `heldout`.
    """

    def of(part: Part, stated: np.ndarray, among: np.ndarray | slice = slice(None)) -> float | None:
        return scores.score(measure, part.predicted[among], stated[among], p.n_classes)

    validation, even = p.validation, np.arange(len(p.validation.observed)) % 2 == 0
    return {
        f"test_{measure}": of(p.test, p.test.labels),
        f"test_{measure}_noisy": of(p.test, p.test.observed),
        f"validation_{measure}_noisy": of(validation, validation.observed),
        f"choice_{measure}_noisy": of(validation, validation.observed, even),
        f"heldout_{measure}_noisy": of(validation, validation.observed, ~even),
    }


def margin(logits: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Return the logit of the stated label minus the largest other, float64 (N,), NaN where unknown.

    logits: (N, L), L >= 2. stated: int64 (N,), -1 unknown.
    """
    logits = logits.astype(np.float64)
    rows = np.arange(len(logits))
    others = logits.copy()
    others[rows, stated] = -np.inf
    return np.where(stated >= 0, logits[rows, stated] - others.max(axis=1), np.nan)


def right(part: Part) -> np.ndarray:
    """Return the examples whose observed label is known to be the true one, bool (N,)."""
    return (part.labels >= 0) & (part.labels == part.observed)


def confidence(logits: np.ndarray) -> np.ndarray:
    """Return the probability of the most probable class, float64 (N,) in [1/L, 1]; logits (N, L)."""
    return np.exp(log_softmax(logits.astype(np.float64), axis=1).max(axis=1))


def negative_log_likelihood(logits: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Return -log p(stated label) in nats, float64, of the examples whose label is known (not -1)."""
    known = np.flatnonzero(stated >= 0)
    return -log_softmax(logits[known].astype(np.float64), axis=1)[np.arange(len(known)), stated[known]]


def density(groups: dict[str, np.ndarray], edges: np.ndarray) -> list[dict[str, float | None]]:
    """Return a row per bin: {low, high, <group>: share of the group's values per unit}.

    groups: name to values, float (N,); None for an empty one. edges: ascending; values beyond them count in
    the end bins.
    """
    columns = {name: _density(values, edges) for name, values in groups.items()}
    return [
        {"low": float(low), "high": float(high), **{name: column[k] for name, column in columns.items()}}
        for k, (low, high) in enumerate(pairwise(edges))
    ]


def _density(values: np.ndarray, edges: np.ndarray) -> list[float | None]:
    if not len(values):
        return [None] * (len(edges) - 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    return (counts / len(values) / np.diff(edges)).tolist()
