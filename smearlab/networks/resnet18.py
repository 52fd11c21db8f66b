"""ResNet-18 (He et al. 2016, as in torchvision) with a stem for small images: 3×3, stride 1, no max-pooling."""

from torchvision.models import resnet18

from smearlab.networks._network import Network
from smearlab.networks._torchvision_resnet import torchvision_resnet

STACKS = True


def build(n_classes: int, channels: int, size: int) -> Network:
    """Return the untrained network."""
    return torchvision_resnet(resnet18, n_classes, channels, small_images=True)
