"""Batches of images that lie on the device as uint8: shuffled, cropped, flipped and normalised there.

Every random number of an epoch is drawn on the CPU from streams named by (purpose, role, seed, epoch), so all
methods of a replicate see the same batches, on any device, and a resumed run draws them again. A batch is then
one gather; one that is augmented further is made on the CPU before it is taken (staging.py). The incomplete last
batch of an epoch is left out where the training part has at least one full batch, so that every batch has the same
shape.
"""

import numpy as np
import torch
from torch import Tensor

from smearlab.training.pixels import LEFT, ORDER, TOP, Pixels, channel_statistics
from smearlab.training.staging import Staging
from smearlab.training.streams import torch_generator
from smearlab.training.vectors import Statistics, Vectors, column_statistics

Inputs = Pixels | Vectors


def statistics_of(examples: np.ndarray) -> Statistics:
    """Return mean and deviation by which examples are normalised: of each channel of images, of each feature.

    examples: uint8 (N, H, W, C), or features, floating point (N, D).
    """
    return column_statistics(examples) if examples.ndim == 2 else channel_statistics(examples)


def on_device(
    examples: np.ndarray,
    padding: int,
    statistics: Statistics,
    device: torch.device,
    home: torch.device | None = None,
) -> Inputs:
    """Return images (N, H, W, C), or features (N, D), as a part that batches are taken from; home: as of Pixels."""
    if examples.ndim == 2:
        return Vectors(examples, statistics, device)
    return Pixels(examples, padding, statistics, device, home)


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
        self.staging: Staging | None = None  # what brings each batch to the device, where the images do not lie there
        self.size = min(batch_size, len(pixels))
        self.per_epoch = len(pixels) // self.size
        columns = 4 if self.augments else 1
        self.draws = torch.zeros((self.per_epoch, self.size, columns), dtype=torch.int64, device=labels.device)
        self.position = torch.zeros(1, dtype=torch.int64, device=labels.device)

    def start(self, epoch: int, position: int = 0) -> None:
        """Draw epoch `epoch` (from 0) and stand before its batch `position`."""
        drawn = epoch_draws(self, epoch)
        self.draws.copy_(drawn)
        self.position.fill_(position)
        if self.staging is not None:
            self.staging.start(epoch, drawn)
            self.ready(position)

    def ready(self, position: int) -> None:
        """Have the images of batch `position` brought to the device, if they do not lie there, before it is taken."""
        if self.staging is not None and position < self.per_epoch:
            self.staging.bring(position)

    def next(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the next batch: images (B, C, H, W) or features (B, D), labels and training positions (B,)."""
        draws = self.draws.index_select(0, self.position)[0]
        self.position.add_(1)
        index = draws[:, ORDER]
        if self.staging is not None:
            return self.staging.taken(), self.labels[index], index
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
