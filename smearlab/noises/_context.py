"""What a noise may look at, and what it returns."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NoiseContext:
    """The training and validation examples, in the order of training.npz.

    images: uint8 (N, H, W, C), or features, floating point (N, D). labels: true labels int64 (N,), -1 unknown.
    noisy_labels: the labels that came with the data, int64 (N,), or None. part: uint8 (N,), 0 train, 1 validation.
    source_index: int64 (N,), position in the data set's own order. noise_seed is set by
    `smearlab.noises._draw.draw`. sizes: the number of examples outside the test part, and of all, where they are
    known. names: those of all examples in the data set's own order, where they have names.
    """

    dataset_kind: str
    n_classes: int
    class_names: list[str]
    images: np.ndarray
    labels: np.ndarray
    noisy_labels: np.ndarray | None
    part: np.ndarray
    source_index: np.ndarray
    noise_seed: int = 0
    sizes: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observed:
    """Observed labels int64 (N,); where there is one, the T asked for (L, L) and a difficulty score (N,).

    doubts: sentences on what speaks against the labels being those of these examples; none where nothing does.
    """

    labels: np.ndarray
    transition: np.ndarray | None = None
    difficulty: np.ndarray | None = None
    doubts: tuple[str, ...] = ()
