"""The CIFAR residual networks of He et al. (2016), section 4.2, with parameter-free (option A) shortcuts."""

import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.networks._network import AveragePool, Network, initialise_convolutions


class Block(nn.Module):
    """Two 3×3 convolutions with batch norm around a shortcut that subsamples and pads with zero maps."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride, self.added = stride, after - before
        self.convolution1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.convolution2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)

    def forward(self, maps: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.convolution1(maps)), inplace=True)
        inner = self.norm2(self.convolution2(inner))
        return F.relu(inner.add_(self._shortcut(maps)), inplace=True)

    def _shortcut(self, maps: Tensor) -> Tensor:
        if not self.added and self.stride == 1:
            return maps
        low = self.added // 2
        fewer = F.avg_pool2d(maps, 1, self.stride)  # every stride-th pixel; its gradient is cheaper than a slice's
        return F.pad(fewer, (0, 0, 0, 0, low, self.added - low))


def cifar_resnet(depth: int, n_classes: int, channels: int, width: int) -> Network:
    """Return the network of `depth` = 6n + 2 layers: n blocks each at width, 2·width and 4·width maps."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    ]
    before = width
    for stage in range(3):
        for block in range((depth - 2) // 6):
            after = width << stage
            layers.append(Block(before, after, stride=2 if stage and not block else 1))
            before = after
    body = nn.Sequential(*layers, AveragePool())
    initialise_convolutions(body)
    return Network(body, before, n_classes)
