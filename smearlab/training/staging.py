"""Batches that are made on the processor and brought to the device: augmented beyond crop and flip, or of large files.

A batch stands at a fixed address on the device, so that the step that takes it can be a recorded CUDA graph; it is
brought there between two steps, while the device is busy with the first. What an augmentation draws comes from a stream
named by (augmentation, role, seed, epoch, batch), so that it is the same on every device, in a block of any size, and
after a kill.
"""

import torch
from torch import Tensor

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import Augmentation
from smearlab.training.pixels import ORDER, FilePixels, Pixels
from smearlab.training.streams import torch_generator


def is_beyond(augmentation: Augmentation) -> bool:
    """Return whether images are changed by more than crop and flip, and so on the processor."""
    return augmentation.name != "none"


def is_staged(inputs: object, augmentation: Augmentation) -> bool:
    """Return whether batches of a part are made on the processor."""
    return isinstance(inputs, FilePixels) or (isinstance(inputs, Pixels) and is_beyond(augmentation))


def check_images(augmentation: Augmentation, channels: int, size: int) -> None:
    """UserError if images of so many channels and pixels a side cannot be augmented so."""
    entry = registry.load("augmentations", augmentation.name)
    options = registry.filled("augmentations", augmentation.name, augmentation.options)
    if hasattr(entry, "refusal") and (why := entry.refusal(channels, size, **options)):
        raise UserError(f"augmentation {augmentation.name}: {why}")


class Staging:
    """The images of the next batch of one replicate."""

    def __init__(self, pixels: Pixels, size: int, augmentation: Augmentation, role: str, seed: int) -> None:
        check_images(augmentation, pixels.channels, pixels.height)
        self.pixels, self.augmentation, self.role, self.seed = pixels, augmentation, role, seed
        self.options = registry.filled("augmentations", augmentation.name, augmentation.options)
        shape = (size, pixels.height, pixels.width, pixels.channels)
        self.images = torch.zeros(shape, dtype=torch.uint8, device=pixels.scale.device)

    def start(self, epoch: int, draws: Tensor) -> None:
        """Take note of the draws of an epoch, (batches, B, 4 or 1), as of Batches."""
        self.epoch, self.draws = epoch, draws

    def bring(self, position: int) -> None:
        """Make batch `position` of the epoch and put it on the device."""
        images = self._augmented(self._cropped(self.draws[position]), position)
        if self.images.device.type == "cuda":
            images = images.pin_memory()
        self.images.copy_(images, non_blocking=True)

    def taken(self) -> Tensor:
        """Return the batch that was brought last, normalised, float32 (B, C, H, W)."""
        return self.pixels.normalised(self.images)

    def _cropped(self, draws: Tensor) -> Tensor:
        if draws.shape[1] > 1:
            return self.pixels.cropped(*draws.unbind(1))
        return self.pixels.as_they_are(draws[:, ORDER])

    def _augmented(self, images: Tensor, position: int) -> Tensor:
        """Return images uint8 (B, H, W, C) as the augmentation makes them."""
        name = self.augmentation.name
        draw = torch_generator(f"augmentation {name}", self.role, self.seed, self.epoch, position)
        augment = registry.load("augmentations", name).augment
        made: Tensor = augment(images.permute(0, 3, 1, 2).contiguous(), draw, **self.options)
        return made.permute(0, 2, 3, 1).contiguous()
