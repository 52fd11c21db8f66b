"""What every data set loader returns, before splitting."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class RawData:
    """Images with what is known of their labels.

    images: uint8 (N, H, W, C). labels: clean labels int64 (N,) in 0..L-1, or None if unknown.
    noisy_labels: the labels that came with the data, int64 (N,), or None. split: str (N,), one of
    train, validation, test, or empty where the split is left to us. notes: lines for the report.
    """

    images: np.ndarray
    labels: np.ndarray | None
    noisy_labels: np.ndarray | None
    split: np.ndarray
    class_names: list[str]
    notes: list[str] = field(default_factory=list)
