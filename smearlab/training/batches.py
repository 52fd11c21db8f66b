"""Images on the device as uint8, and batches of them: shuffled, cropped, flipped and normalised there.

Every random number of an epoch is drawn on the CPU from streams named by (purpose, role, seed, epoch), so all
methods of a replicate see the same batches, on any device, and a resumed run draws them again. A batch is then
one gather. The incomplete last batch of an epoch is left out where the training part has at least one full
batch, so that every batch has the same shape.
"""

import numpy as np
import torch
from torch import Tensor

from smearlab.training.streams import torch_generator
from smearlab.training.vectors import Statistics, Vectors, column_statistics

ORDER, TOP, LEFT, FLIP = range(4)


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
    """Images of one part on a device, padded with black for cropping, with the normalisation they are given.

    images: uint8 (N, H, W, C); padding: pixels on each side; statistics: mean and deviation (C,) each.
    Batches are float32 (B, C, H, W) in channels-last memory order.
    """

    def __init__(
        self,
        images: np.ndarray,
        padding: int,
        statistics: Statistics,
        device: torch.device,
    ) -> None:
        mean, deviation = statistics
        sides = ((0, 0), (padding, padding), (padding, padding), (0, 0))
        padded = np.pad(images, sides) if padding else np.ascontiguousarray(images)
        self.padded = torch.from_numpy(padded).to(device)
        _, self.height, self.width, _ = images.shape
        self.padding = padding
        self.scale = torch.tensor(1 / deviation, dtype=torch.float32, device=device)
        self.shift = torch.tensor(-mean / deviation, dtype=torch.float32, device=device)
        self.rows = torch.arange(self.height, device=device)
        self.columns = torch.arange(self.width, device=device)

    def __len__(self) -> int:
        return len(self.padded)

    @property
    def places(self) -> int:
        """Pixels of an image."""
        return self.height * self.width

    def plain(self, index: Tensor | slice) -> Tensor:
        """Return the images at `index` as they are."""
        low, high, right = self.padding, self.padding + self.height, self.padding + self.width
        return self._normalised(self.padded[:, low:high, low:right][index])

    def augmented(self, index: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Return the images at `index` cropped at (top, left) of the padded image, mirrored where flip is 1."""
        rows = top[:, None] + self.rows
        across = torch.where(flip[:, None] > 0, self.width - 1 - self.columns, self.columns)
        columns = left[:, None] + across
        return self._normalised(self.padded[index[:, None, None], rows[:, :, None], columns[:, None, :]])

    def _normalised(self, images: Tensor) -> Tensor:
        return torch.addcmul(self.shift, images.float(), self.scale).permute(0, 3, 1, 2)


Inputs = Pixels | Vectors


def statistics_of(examples: np.ndarray) -> Statistics:
    """Return mean and deviation by which examples are normalised: of each channel of images, of each feature.

    examples: uint8 (N, H, W, C), or features, floating point (N, D).
    """
    return column_statistics(examples) if examples.ndim == 2 else channel_statistics(examples)


def on_device(examples: np.ndarray, padding: int, statistics: Statistics, device: torch.device) -> Inputs:
    """Return images (N, H, W, C), or features (N, D), as a part that batches are taken from."""
    if examples.ndim == 2:
        return Vectors(examples, statistics, device)
    return Pixels(examples, padding, statistics, device)


def input_shape(examples: np.ndarray) -> tuple[int, ...]:
    """Return what a network is built for: the channels and the side of images, the number of features."""
    return examples.shape[1:] if examples.ndim == 2 else (examples.shape[-1], examples.shape[1])


class Batches:
    """The batches of one replicate: `start` an epoch (or go on inside it), then take `next` until it is over.

    The draws of the epoch and the position live in tensors on the device at fixed addresses, so that taking
    a batch can be part of a recorded CUDA graph.
    """

    def __init__(self, pixels: Inputs, labels: Tensor, batch_size: int, flip: bool, role: str, seed: int) -> None:
        self.pixels, self.labels, self.role, self.seed = pixels, labels, role, seed
        self.flip, self.augments = flip, flip or pixels.padding > 0
        self.balanced = False  # whether each class is drawn equally often, with replacement
        self.size = min(batch_size, len(pixels))
        self.per_epoch = len(pixels) // self.size
        columns = 4 if self.augments else 1
        self.draws = torch.zeros((self.per_epoch, self.size, columns), dtype=torch.int64, device=labels.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=labels.device)

    def start(self, epoch: int, position: int = 0) -> None:
        """Draw epoch `epoch` (from 0) and stand before its batch `position`."""
        self.draws.copy_(epoch_draws(self, epoch))
        self.position.fill_(position)

    def next(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next batch: images (B, C, H, W) or features (B, D), labels and training positions (B,)."""
        draws = self.draws.index_select(0, self.position)[0]
        self.position.add_(1)
        index = draws[:, ORDER]
        if self.augments and isinstance(self.pixels, Pixels):
            return self.pixels.augmented(*draws.unbind(1)), self.labels[index], index
        return self.pixels.plain(index), self.labels[index], index


def epoch_draws(batches: Batches, epoch: int) -> Tensor:
    """Return the draws of one epoch, int64 (batches, B, 4 or 1): image, top, left, flip of every place."""
    n, used = len(batches.pixels), batches.per_epoch * batches.size
    draw = torch_generator("order", batches.role, batches.seed, epoch)
    columns = [
        _balanced_order(batches.labels, used, draw) if batches.balanced else torch.randperm(n, generator=draw)[:used]
    ]
    if batches.augments:
        draw = torch_generator("augmentation", batches.role, batches.seed, epoch)
        places = 2 * batches.pixels.padding + 1
        columns += [torch.randint(places, (used,), generator=draw) for _ in (TOP, LEFT)]
        columns.append(torch.randint(1 + batches.flip, (used,), generator=draw))
    return torch.stack(columns, dim=1).view(batches.per_epoch, batches.size, -1)


def _balanced_order(labels: Tensor, n: int, draw: torch.Generator) -> Tensor:
    """Return the places of n examples, drawn with replacement so that each class that occurs is equally likely."""
    counts = torch.bincount(labels).cpu()
    return torch.multinomial(1 / counts.double()[labels.cpu()], n, replacement=True, generator=draw)
