"""ResNet-56 for CIFAR (He et al. 2016, section 4.2): 9 blocks a stage, option A shortcuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from smearlab.networks._cifar_resnet import cifar_resnet
from smearlab.networks._network import Network

if TYPE_CHECKING:
    from pydantic import Field

STACKS = True


def build(n_classes: int, channels: int, size: int, *, width: Annotated[int, Field(ge=1, le=1024)] = 16) -> Network:
    """Return the network; `width` is the number of maps of the first stage (16 in the paper)."""
    return cifar_resnet(56, n_classes, channels, width)
