"""ResNet-56 for CIFAR (He et al. 2016, section 4.2): 9 blocks a stage, option A shortcuts."""

from smearlab.networks._cifar_resnet import cifar_resnet
from smearlab.networks._network import Network


def build(n_classes: int, channels: int, size: int, *, width: int = 16) -> Network:
    """Return the network; `width` is the number of maps of the first stage (16 in the paper)."""
    return cifar_resnet(56, n_classes, channels, width)
