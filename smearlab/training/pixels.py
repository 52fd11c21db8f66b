"""Images of one part as uint8, and what is taken of them: as they are, or cropped and mirrored, and normalised.

They lie on the device, or, where what is done to them needs the processor, in its memory, and go to the device in
batches.
"""

import os

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.store.large import chunks, is_large, value_counts
from smearlab.training.vectors import Statistics

ORDER, TOP, LEFT, FLIP = range(4)  # the columns of what is drawn for each place of a batch


def channel_statistics(images: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each channel of images uint8 (N, H, W, C), in units of 0..255.

    Computed from counts of the 256 values, so the order of the images does not matter. A channel that never
    varies has the deviation 1. rows: positions (n,) of the images that count; default all.
    """
    counts = value_counts(images, rows)
    shares = counts / counts.sum(axis=1, keepdims=True)
    values = np.arange(256)
    mean = shares @ values
    deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(axis=1))
    return mean, np.where(deviation > 0, deviation, 1.0)


class Pixels:
    """Images of one part, padded with black for cropping, with the normalisation they are given on a device.

    images: uint8 (N, H, W, C); padding: pixels on each side; statistics: mean and deviation (C,) each; home: where the
    images lie, the device itself by default; rows: the positions (n,) of this part, default all. Batches are float32
    (B, C, H, W) in channels-last memory order.
    """

    def __init__(
        self,
        images: np.ndarray,
        padding: int,
        statistics: Statistics,
        device: torch.device,
        home: torch.device | None = None,
        rows: np.ndarray | None = None,
    ) -> None:
        mean, deviation = statistics
        self.padded = _padded(images, np.arange(len(images)) if rows is None else rows, padding, home or device)
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
        return self.normalised(self.cropped(index, top, left, flip).to(self.scale.device))

    def cropped(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return the same images, not normalised: uint8 (B, H, W, C), where the images lie."""
        return self._crops(self.padded, index, top, left, flip)

    def _crops(self, padded: Tensor, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        rows = top[:, None] + self.rows
        across = torch.where(flip[:, None] > 0, self.width - 1 - self.columns, self.columns)
        columns = left[:, None] + across
        return padded[index[:, None, None], rows[:, :, None], columns[:, None, :]]

    def normalised(self, images: Tensor) -> Tensor:
        """Return images uint8 (B, H, W, C) of the device as float32 (B, C, H, W)."""
        return torch.addcmul(self.shift, images.float(), self.scale).permute(0, 3, 1, 2)


def _padded(images: np.ndarray, rows: np.ndarray, padding: int, home: torch.device) -> Tensor:
    """Return images[rows] on a device with black around them, brought there a part at a time."""
    _, height, width, channels = images.shape
    sides = height + 2 * padding, width + 2 * padding
    padded = torch.zeros((len(rows), *sides, channels), dtype=torch.uint8, device=home)
    within = padded[:, padding : padding + height, padding : padding + width]
    for part in chunks(len(rows), images[:1].nbytes):
        within[part] = torch.from_numpy(images[rows[part]]).to(home)
    return padded


class FilePixels(Pixels):
    """Images of one part that stay in a mapped file: what is taken of them, batch by batch, is what Pixels gives.

    images: uint8 (N, H, W, C), mapped; rows: the positions (n,) of this part.
    """

    def __init__(
        self, images: np.ndarray, rows: np.ndarray, padding: int, statistics: Statistics, device: torch.device
    ) -> None:
        super().__init__(images[:0], padding, statistics, device, torch.device("cpu"))
        self.images, self.of_part = images, rows

    def __len__(self) -> int:
        return len(self.of_part)

    def as_they_are(self, index: Tensor | slice) -> Tensor:
        """Return the images at `index`, uint8 (B, H, W, C), in memory."""
        at = self.of_part[index.numpy() if isinstance(index, Tensor) else index]
        return torch.from_numpy(self.images[at])

    def cropped(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return the images at `index`, padded, cropped and mirrored, uint8 (B, H, W, C), in memory."""
        sides = (0, 0, *(self.padding,) * 4)
        padded = nn.functional.pad(self.as_they_are(index), sides)
        return self._crops(padded, torch.arange(len(index)), top, left, flip)


def stays_in_file(images: np.ndarray, device: torch.device) -> bool:
    """Return whether images are too large for the memory of a device.

    On a CPU that is what is_large says; a GPU has room for half of its own memory, unless the environment says less.
    """
    if device.type == "cuda" and "SMEARLAB_IMAGES_MB" not in os.environ:
        return images.nbytes > torch.cuda.get_device_properties(device).total_memory // 2
    return is_large(images.nbytes)
