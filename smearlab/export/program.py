"""A trained network with its normalisation as one file of torch.export, which is loaded without any code of it."""

import io

import numpy as np
import torch
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.core.jobs import Choice


class Normalised(nn.Module):
    """A network behind what it expects of its inputs; buffers: mean and deviation of each channel or feature."""

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)


class OfImages(Normalised):
    """Logits (N, L) of images uint8 (N, H, W, C)."""

    def forward(self, images: Tensor) -> Tensor:
        shift, scale = -self.get_buffer("mean") / self.get_buffer("deviation"), 1 / self.get_buffer("deviation")
        logits: Tensor = self.network(torch.addcmul(shift.float(), images.float(), scale.float()).permute(0, 3, 1, 2))
        return logits


class OfFeatures(Normalised):
    """Logits (N, L) of features float64 (N, D), in the units of the training data."""

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.network(((features - self.get_buffer("mean")) / self.get_buffer("deviation")).float())
        return logits


def program(
    architecture: Choice,
    weights: dict[str, Tensor],
    n_classes: int,
    shape: tuple[int, ...],
    statistics: tuple[list[float], list[float]],
) -> bytes:
    """Return the bytes of a file of torch.export: from inputs as they come, any number of them, to logits (N, L).

    shape: H, W, C of images, or D features. statistics: mean and deviation of each channel or feature.
    """
    sizes = shape if len(shape) == 1 else (shape[2], shape[0])
    network = registry.build("networks", architecture, n_classes, *sizes)
    network.load_state_dict(weights)
    mean, deviation = (torch.from_numpy(np.array(values, dtype=np.float64)) for values in statistics)
    whole = (OfFeatures if len(shape) == 1 else OfImages)(network, mean, deviation).eval()
    example = torch.zeros((2, *shape), dtype=torch.float64 if len(shape) == 1 else torch.uint8)
    many = ({0: torch.export.Dim("n", min=1)},)
    with torch.no_grad():
        exported = torch.export.export(whole, (example,), dynamic_shapes=many)
    buffer = io.BytesIO()
    torch.export.save(exported, buffer)
    return buffer.getvalue()
