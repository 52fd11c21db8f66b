"""Digits whose labels come from a weak annotator: a classifier that saw little, as any older one or a tired person."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

GRID: dict[str, Any] = {
    "name": "weak",
    "datasets": {"own": {"kind": "arrays", "path": "data/own.npz"}},
    "noises": {"given": {"kind": "labels"}},
    "recipes": {
        "small": {
            "architecture": {"name": "cnn", "width": 8},
            "epochs": 4,
            "batch_size": 32,
            "optimiser": {"learning_rate": 0.05},
            "block_size": 3,
            "snapshots": 0,
            "history_examples": 0,
            "estimate": {"folds": 2, "length": 1},
        }
    },
    "methods": [
        "cross_entropy",
        {"name": "label_smoothing", "alphas": [0.1, 0.8]},
        {"name": "forward", "transition": ["estimated(anchor)", "estimated(confident_joint)"]},
    ],
    "students": [{"teachers": ["cross_entropy", {"name": "label_smoothing", "alphas": [0.1]}], "temperatures": [4]}],
}
PARTS = np.repeat(["train", "validation", "test"], [500, 150, 400])


def images_and_labels() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images uint8 (1797, 8, 8), true labels, and an annotator's, of which a quarter is wrong.

    It saw 60 digits, sees every third pixel, and names the class whose mean is nearest.
    """
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    images, true = bunch.images[order], bunch.target[order]
    pixels = images.reshape(len(images), -1)[:, ::3]
    means = np.stack([pixels[:60][true[:60] == k].mean(axis=0) for k in range(10)])
    given = np.square(pixels[:, None] - means).sum(axis=2).argmin(axis=1)
    return (images * 15).astype(np.uint8), true, given


def write(folder: Path, **further: np.ndarray) -> None:
    """Write the data set without its true labels."""
    images, _, given = (values[: len(PARTS)] for values in images_and_labels())
    (folder / "data").mkdir(exist_ok=True)
    np.savez(folder / "data/own.npz", images=images, noisy_labels=given, split=PARTS, **further)
