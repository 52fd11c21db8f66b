"""Feature vectors on the device: standardised once, and taken in batches as images are."""

import numpy as np
import torch
from torch import Tensor

Statistics = tuple[np.ndarray, np.ndarray]


def column_statistics(features: np.ndarray) -> Statistics:
    """Return mean and standard deviation of each feature (N, D), float64; one that never varies has the deviation 1."""
    varies = features.max(axis=0) > features.min(axis=0)
    mean, deviation = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    return mean, np.where(varies, deviation, 1.0)


class Vectors:
    """Features (N, D) of one part on a device, standardised; batches are float32 (B, D)."""

    padding = 0  # they are not cropped
    places = 1  # as images of one pixel

    def __init__(self, features: np.ndarray, statistics: Statistics, device: torch.device) -> None:
        mean, deviation = statistics
        self.values = torch.from_numpy(((features - mean) / deviation).astype(np.float32)).to(device)

    def __len__(self) -> int:
        return len(self.values)

    def plain(self, index: Tensor | slice) -> Tensor:
        """Return the vectors at `index`."""
        return self.values[index]
