"""A torchvision residual network that begins with weights from a file, its body frozen or learning more slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision import models

from smearlab.core.errors import UserError
from smearlab.core.jobs import Choice
from smearlab.networks._network import Network
from smearlab.networks._weights_file import check_weights, read_state
from smearlab.store.kept_files import kept

if TYPE_CHECKING:
    from pydantic import Field

FILES = ("weights",)
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # torchvision's, in units of 0..255


class Pretrained(Network):
    """A network of colour images as its weights know them; grey ones are shown in all three colours.

    It takes what every network takes, images normalised by their data set (B, 1 or 3, H, W), and turns them into what
    its weights were trained on by `scale` and `shift` (1, 3, 1, 1), and bilinearly to `input_size` pixels a side if one
    is given. body_rate: what its body learns at, times the learning rate; at 0 it stays as it is, statistics too.
    """

    def __init__(
        self, body: nn.Module, n_features: int, n_classes: int, input_size: int | None, body_rate: float
    ) -> None:
        super().__init__(body, n_features, n_classes)
        self.input_size, self.body_rate = input_size, body_rate
        self.register_buffer("scale", torch.ones(1, 3, 1, 1))
        self.register_buffer("shift", torch.zeros(1, 3, 1, 1))
        self.body.requires_grad_(body_rate > 0)

    def features(self, images: Tensor) -> Tensor:
        """Return the penultimate activations, shape (B, D)."""
        colours = images * self.get_buffer("scale") + self.get_buffer("shift")
        if self.input_size is not None:
            sides = (self.input_size, self.input_size)
            colours = F.interpolate(colours, sides, mode="bilinear", align_corners=False, antialias=True)
        return self.body(colours)

    def train(self, mode: bool = True) -> Pretrained:
        """Switch between training and prediction; a frozen body always predicts."""
        super().train(mode)
        self.body.train(mode and self.body_rate > 0)
        return self


def build(
    n_classes: int,
    channels: int,
    size: int,
    *,
    of: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2", "resnext50_32x4d"],
    weights: str,
    body_rate: Annotated[float, Field(ge=0, le=1)] = 0.1,
    input_size: Annotated[int, Field(ge=32, le=1024)] | None = None,
) -> Pretrained:
    """Return the untrained network, with torchvision's own stem and a new head.

    weights: the path of torchvision's state_dict for `of` (.pth, .pt or .safetensors); the weights are those of about
    224×224 pixels. UserError for images that are neither grey nor in colour.
    """
    if channels not in (1, 3):
        raise UserError(f"network pretrained: images of {channels} channels; it takes grey ones (1) and colour (3)")
    body = getattr(models, of)(weights=None)
    n_features = body.fc.in_features
    body.fc = nn.Identity()
    return Pretrained(body, n_features, n_classes, input_size, body_rate)


def begin(network: nn.Module, architecture: Choice, statistics: tuple[np.ndarray, np.ndarray]) -> None:
    """Put the weights of the file into the body, and say how the data are normalised.

    architecture: its `weights` are the file's SHA-256. statistics: mean and deviation of each channel of the training
    images, in units of 0..255.
    """
    mean, deviation = statistics
    wanted, spread = np.array(MEAN), np.array(DEVIATION)
    for name, value in (("scale", deviation / spread), ("shift", (mean - wanted) / spread)):
        network.get_buffer(name).copy_(torch.from_numpy(np.broadcast_to(value, 3).reshape(1, 3, 1, 1).copy()))
    state = read_state(str(kept(architecture["weights"], architecture["of"])))
    network.get_submodule("body").load_state_dict({k: v for k, v in state.items() if not k.startswith("fc.")})


def check_file(path: str, of: str) -> None:
    """Raise UserError, in one line, unless a file holds the weights of that network of torchvision."""
    with torch.device("meta"):
        wanted = getattr(models, of)(weights=None).state_dict()
    check_weights(path, of, wanted, head="fc.")
