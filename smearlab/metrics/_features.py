"""What penultimate-layer activations look like: how tight classes are, and three of them in a plane."""

import numpy as np

N_SHOWN = 3
POINTS_PER_CLASS = 100


def tightness(features: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the within-class over the between-class spread of features, at least 0; smaller is tighter.

    Within: the mean over examples of the squared distance to the mean of the example's class. Between: the
    mean over examples of the squared distance from that class mean to the mean of all. Scaling, shifting and
    rotating the features leave the ratio alone.
    features: (N, D). labels: int64 (N,), -1 unknown and left out. None where all class means are equal.
    """
    known = labels >= 0
    values, classes = features[known].astype(np.float64), labels[known]
    if not len(values):
        return None
    present, position = np.unique(classes, return_inverse=True)
    sums = np.zeros((len(present), values.shape[1]))
    np.add.at(sums, position, values)
    means = (sums / np.bincount(position)[:, None])[position]
    between = np.square(means - values.mean(axis=0)).sum()
    return float(np.square(values - means).sum() / between) if between > 0 else None


def projection(features: np.ndarray, labels: np.ndarray, head: np.ndarray) -> list[dict[str, float | int]]:
    """Return examples of classes 0, 1, 2 as {class, x, y} in the plane through these classes' templates.

    The first axis points from the template of class 0 to that of class 1, the second is orthogonal to it and
    points towards that of class 2 (Müller et al. 2019, section 2). The first 100 examples of each class.
    features: (N, D). labels: int64 (N,). head: (L, D), the head's weights, whose rows are the templates.
    Empty with fewer than three classes, or where the templates lie on one line.
    """
    axes = _plane(head.astype(np.float64)) if len(head) >= N_SHOWN and head.shape[1] > 1 else None
    if axes is None:
        return []
    shown = np.concatenate([np.flatnonzero(labels == k)[:POINTS_PER_CLASS] for k in range(N_SHOWN)])
    points = features[shown].astype(np.float64) @ axes
    return [
        {"class": int(label), "x": float(f"{x:.5g}"), "y": float(f"{y:.5g}")}
        for label, (x, y) in zip(labels[shown], points, strict=True)
    ]


def _plane(head: np.ndarray) -> np.ndarray | None:
    """Return two orthonormal columns (D, 2) that span the differences of the first three templates."""
    axes, triangle = np.linalg.qr((head[1:N_SHOWN] - head[0]).T)
    lengths = np.diag(triangle)
    return axes * np.sign(lengths) if np.abs(lengths).min() > 1e-12 * np.abs(lengths).max() else None
