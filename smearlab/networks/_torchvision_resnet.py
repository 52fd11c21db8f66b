"""torchvision's residual networks with features and head apart, and with a stem for small images if asked."""

from collections.abc import Callable

from torch import nn
from torchvision.models import ResNet

from smearlab.networks._network import Network


def torchvision_resnet(make: Callable[..., ResNet], n_classes: int, channels: int, *, small_images: bool) -> Network:
    """Return an untrained torchvision network for images of `channels` channels.

    With small_images the stem is one 3×3 convolution of stride 1 without max-pooling (the CIFAR stem);
    otherwise torchvision's own: 7×7 of stride 2, then max-pooling.
    """
    body = make(weights=None)
    if small_images:
        body.conv1 = _first_convolution(channels, kernel=3, stride=1)
        body.maxpool = nn.Identity()
    elif channels != 3:
        body.conv1 = _first_convolution(channels, kernel=7, stride=2)
    n_features = body.fc.in_features
    body.fc = nn.Identity()
    return Network(body, n_features, n_classes)


def _first_convolution(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, 64, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution
