"""Images of one part as uint8, and what is taken of them: as they are, or cropped and mirrored, and normalised.

They lie on the device, or, where what is done to them needs the processor, in its memory, and go to the device in
batches.
"""

import numpy as np
import torch
from torch import Tensor

from smearlab.training.vectors import Statistics

ORDER, TOP, LEFT, FLIP = range(4)  # the columns of what is drawn for each place of a batch


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel of images uint8 (N, H, W, C), in units of 0..255.

    Computed from counts of the 256 values, so the order of the images does not matter. A channel that never
    varies has the deviation 1.
    """
    counts = np.stack([np.bincount(images[..., c].ravel(), minlength=256) for c in range(images.shape[-1])])
    shares = counts / counts.sum(axis=1, keepdims=True)
    values = np.arange(256)
    mean = shares @ values
    deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(axis=1))
    return mean, np.where(deviation > 0, deviation, 1.0)


class Pixels:
    """Images of one part, padded with black for cropping, with the normalisation they are given on a device.

    images: uint8 (N, H, W, C); padding: pixels on each side; statistics: mean and deviation (C,) each; home: where the
    images lie, the device itself by default. Batches are float32 (B, C, H, W) in channels-last memory order.
    """

    def __init__(
        self,
        images: np.ndarray,
        padding: int,
        statistics: Statistics,
        device: torch.device,
        home: torch.device | None = None,
    ) -> None:
        mean, deviation = statistics
        sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        padded = np.pad(images, sides) if padding else np.ascontiguousarray(images)
        self.padded = torch.from_numpy(padded).to(home or device)
        _, self.height, self.width, self.channels = images.shape
        self.padding = padding
        self.scale = torch.tensor(1 / deviation, dtype=torch.float32, device=device)
        self.shift = torch.tensor(-mean / deviation, dtype=torch.float32, device=device)
        self.rows = torch.arange(self.height, device=home or device)
        self.columns = torch.arange(self.width, device=home or device)

    def __len__(self) -> int:
        return len(self.padded)

    @property
    def places(self) -> int:
        """Pixels of an image."""
        return self.height * self.width

    def plain(self, index: Tensor | slice) -> Tensor:
        """Return the images at `index` as they are, normalised."""
        at = index.to(self.padded.device) if isinstance(index, Tensor) else index
        return self.normalised(self.as_they_are(at).to(self.scale.device))

    def as_they_are(self, index: Tensor | slice) -> Tensor:
        """Return the images at `index`, uint8 (B, H, W, C), where they lie."""
        low, high, right = self.padding, self.padding + self.height, self.padding + self.width
        return self.padded[:, low:high, low:right][index]

    def augmented(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return the images at `index` cropped at (top, left) of the padded image, mirrored where flip is 1."""
        return self.normalised(self.cropped(index, top, left, flip))

    def cropped(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return the same images, not normalised: uint8 (B, H, W, C), where the images lie."""
        rows = top[:, None] + self.rows
        across = torch.where(flip[:, None] > 0, self.width - 1 - self.columns, self.columns)
        columns = left[:, None] + across
        return self.padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]

    def normalised(self, images: Tensor) -> Tensor:
        """Return images uint8 (B, H, W, C) of the device as float32 (B, C, H, W)."""
        return torch.addcmul(self.shift, images.float(), self.scale).permute(0, 3, 1, 2)
