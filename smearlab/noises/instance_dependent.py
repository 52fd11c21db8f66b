"""Instance-dependent noise: what a label becomes depends on the example (Xia et al. 2020, appendix, algorithm 2).

Example n of class y has its own flip probability q_n, drawn from a normal distribution of mean `rate` and
standard deviation 0.1; its wrong label is drawn from softmax(x_n W_y) over the other classes, with x_n the
pixels standardised per channel (or the features, each standardised) and W_y a random matrix per class. q_n is
truncated to rate ± min(rate, 1 - rate), symmetric about the rate, so that the mean rate is the one asked for;
`truncation: unit` is the paper's, to [0, 1], whose mean is .129 for a rate of .10. The difficulty of an example is
q_n. There is no T: the realised one describes the labels on average only.
"""

from statistics import NormalDist
from typing import Literal

import numpy as np

from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._sampler import sample_rows
from smearlab.store.large import value_counts

SPREAD = 0.1
BELOW_ONE = 1.0 - 2.0**-53
LATER = {"truncation": "symmetric"}


def observe(
    context: NoiseContext,
    rng: np.random.Generator,
    *,
    rate: float,
    truncation: Literal["symmetric", "unit"] = "symmetric",
) -> Observed:
    """Return observed labels and the flip probability of each example as its difficulty."""
    n_examples = len(context.labels)
    flip = _flip_probabilities(rate, rng.random(n_examples), truncation)
    uniforms = rng.random(n_examples)
    mean, scale = (_column_scale if context.images.ndim == 2 else _channel_scale)(context.images)
    observed = np.empty(n_examples, dtype=np.int64)
    for true in range(context.n_classes):
        weights = rng.standard_normal((context.images[0].size, context.n_classes))
        of_class = np.flatnonzero(context.labels == true)
        pixels = ((context.images[of_class] - mean) / scale).reshape(len(of_class), len(weights))
        rows = _label_probabilities(pixels @ weights, true, flip[of_class])
        observed[of_class] = sample_rows(rows, uniforms[of_class])
    return Observed(observed, difficulty=flip)


def _flip_probabilities(rate: float, uniforms: np.ndarray, truncation: str) -> np.ndarray:
    """Draw from the truncated normal by its inverse distribution, one uniform an example."""
    below, above = (rate, 1.0 - rate) if truncation == "unit" else (min(rate, 1.0 - rate),) * 2
    if below == 0.0:
        return np.full(len(uniforms), rate)
    normal = NormalDist()
    lowest, cut_above = normal.cdf(-below / SPREAD), normal.cdf(-above / SPREAD)
    levels = lowest + uniforms * (1.0 - (lowest + cut_above))
    return rate + SPREAD * np.array([normal.inv_cdf(level) for level in levels.clip(max=BELOW_ONE)])


def _channel_scale(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel, (C,); a constant channel has deviation 1."""
    values = np.arange(256)
    counts = value_counts(images)  # not summed: exact, whatever their order, and without a copy of them in float
    mean = np.array([count @ values / count.sum() for count in counts])
    variance = np.array([count @ (values - m) ** 2 / count.sum() for count, m in zip(counts, mean, strict=True)])
    return mean, np.where(variance > 0.0, np.sqrt(variance), 1.0)


def _column_scale(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each feature, (D,); a constant one has deviation 1."""
    varies = features.max(axis=0) > features.min(axis=0)
    return features.mean(axis=0, dtype=np.float64), np.where(varies, features.std(axis=0, dtype=np.float64), 1.0)


def _label_probabilities(scores: np.ndarray, true: int, flip: np.ndarray) -> np.ndarray:
    """Return P(observed | example), (n, L), of one class: 1 - q for it, q * softmax(scores) for the others."""
    scores[:, true] = -np.inf
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    rows = flip[:, None] * share / share.sum(axis=1, keepdims=True)
    rows[:, true] = 1.0 - flip
    return rows
