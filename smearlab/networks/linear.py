"""Multinomial logistic regression on features: one linear layer, no hidden one."""

from torch import nn

from smearlab.networks._network import Network

FORM = "features"
STACKS = True


def build(n_classes: int, n_features: int) -> Network:
    """Return the network; its penultimate layer is the input."""
    return Network(nn.Identity(), n_features, n_classes)
