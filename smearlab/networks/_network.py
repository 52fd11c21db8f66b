"""What every network has in common: penultimate features, then one linear head."""

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """A body that gives features and a linear head that gives logits.

    body maps images (B, C, H, W), or rows of a table (B, n), floating point, to features (B, D); forward returns
    logits (B, L).
    """

    def __init__(self, body: nn.Module, n_features: int, n_classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(n_features, n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Return the penultimate activations, shape (B, D)."""
        return self.body(images)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.features(images))


class AveragePool(nn.Module):
    """The mean over all positions: (B, D, H, W) to (B, D)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


def initialise_convolutions(module: nn.Module) -> None:
    """Draw all convolution weights from He et al. (2015), eq. 14 (fan-out), from torch's global generator."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            with torch.no_grad():
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
