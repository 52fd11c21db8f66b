"""ResNet-50 (He et al. 2016, as in torchvision) with its own stem, for photographs of about 224×224."""

from torchvision.models import resnet50

from smearlab.networks._network import Network
from smearlab.networks._torchvision_resnet import torchvision_resnet

STACKS = True


def build(n_classes: int, channels: int, size: int) -> Network:
    """Return the untrained network."""
    return torchvision_resnet(resnet50, n_classes, channels, small_images=False)
