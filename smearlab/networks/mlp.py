"""Multilayer perceptron on features: hidden layers with ReLU, then the linear head."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from torch import nn

from smearlab.networks._network import Network

if TYPE_CHECKING:
    from pydantic import Field

FORM = "features"
STACKS = True


def build(
    n_classes: int,
    n_features: int,
    *,
    width: Annotated[int, Field(ge=1, le=65536)] = 64,
    layers: Annotated[int, Field(ge=1, le=16)] = 2,
) -> Network:
    """Return the network of `layers` hidden layers with `width` units each, which are the features of the last."""
    sizes = [n_features, *[width] * layers]
    body = [part for before, after in pairwise(sizes) for part in (nn.Linear(before, after), nn.ReLU(inplace=True))]
    return Network(nn.Sequential(*body), width, n_classes)
