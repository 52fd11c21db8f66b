"""Mixup: a network sees mixtures of two examples and answers for the labels of both (Zhang et al. 2018).

One weight λ ~ Beta(α, α) for each batch; an example's partner is the one that takes its place when the batch is
shuffled. All is drawn on the CPU, an epoch at a time, from a stream of its own: order and augmentation of a replicate
are what they are without mixup.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from smearlab.core.seeds import numpy_generator
from smearlab.training.batches import Batches


@dataclass(frozen=True)
class Mixture:
    """How a batch is mixed: the weight λ () of each example, 1 - λ that of its partner, at `partners` (B,)."""

    weight: Tensor
    partners: Tensor

    def inputs(self, images: Tensor) -> Tensor:
        """Return the mixed images, of the shape of `images` (B, …)."""
        return self.weight * images + (1.0 - self.weight) * images[self.partners]

    def loss(self, of: Callable[[Tensor, Tensor], Tensor], labels: Tensor, index: Tensor) -> Tensor:
        """Return the loss for both labels, weighted as the images are; `of` takes labels and positions (B,)."""
        own, partners = of(labels, index), of(labels[self.partners], index[self.partners])
        return self.weight * own + (1.0 - self.weight) * partners


class Mixup:
    """The mixtures of one replicate's batches; they stand in tensors at fixed addresses, as the batches do."""

    def __init__(self, strength: float, batches: Batches) -> None:
        self.strength, self.batches = strength, batches
        device = batches.draws.device
        self.weights = torch.zeros(batches.per_epoch, device=device)
        self.partners = torch.zeros((batches.per_epoch, batches.size), dtype=torch.int64, device=device)

    def start(self, epoch: int) -> None:
        """Draw the mixtures of epoch `epoch` (from 0)."""
        rng = numpy_generator("mixup", self.batches.role, self.batches.seed, epoch)
        weights = rng.beta(self.strength, self.strength, len(self.weights))
        places = np.tile(np.arange(self.batches.size), (self.batches.per_epoch, 1))
        self.weights.copy_(torch.from_numpy(weights.astype(np.float32)))
        self.partners.copy_(torch.from_numpy(rng.permuted(places, axis=1)))

    def upcoming(self) -> Mixture:
        """Return the mixture of the batch that is taken next."""
        at = self.batches.position
        return Mixture(self.weights.index_select(0, at)[0], self.partners.index_select(0, at)[0])
