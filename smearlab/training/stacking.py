"""Several networks of one architecture as one: their channels side by side, so that a step is a few large kernels.

Of R networks with inputs (B, C, H, W) the stacked one takes (B, R·C, H, W) and gives (B, R·L): convolutions have R
times the groups, a batch norm has R times the channels, a linear layer is one batched product. The networks keep their
own parameters and buffers as views into the stacked ones, so that each can be measured, saved and restored by itself.
What one network computes depends on no value of another.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from smearlab.core.errors import UserError
from smearlab.networks._cifar_resnet import Block

ALIKE = (nn.ReLU, nn.Identity, nn.Flatten, nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)  # a channel at a time
OF_PARTS = {  # modules that only call their parts, and so are stacked where these are
    "torch.nn.modules.container.Sequential",
    "torchvision.models.resnet.ResNet",
    "torchvision.models.resnet.BasicBlock",
    "torchvision.models.resnet.Bottleneck",
    "smearlab.networks._network.Network",
    "smearlab.networks._network.AveragePool",
}


class StackedLinear(nn.Module):
    """R linear layers: (B, R·D) to (B, R·M) as one batched product; weight (R·M, D), bias (R·M,) or None."""

    def __init__(self, count: int, weight: nn.Parameter, bias: nn.Parameter | None) -> None:
        super().__init__()
        self.count, self.weight, self.bias = count, weight, bias

    def forward(self, values: Tensor) -> Tensor:
        each = values.unflatten(1, (self.count, -1)).transpose(0, 1)
        weights = self.weight.unflatten(0, (self.count, -1)).transpose(1, 2)
        if self.bias is None:
            found = torch.bmm(each, weights)
        else:
            found = torch.baddbmm(self.bias.view(self.count, 1, -1), each, weights)
        return found.transpose(0, 1).flatten(1)


class StackedBlock(Block):
    """R residual blocks, whose shortcuts get their zero maps within each network's own channels."""

    count: int

    def _shortcut(self, maps: Tensor) -> Tensor:
        if not self.added and self.stride == 1:
            return maps
        low = self.added // 2
        fewer = F.avg_pool2d(maps, 1, self.stride).permute(0, 2, 3, 1).unflatten(3, (self.count, -1))
        return F.pad(fewer, (low, self.added - low)).flatten(3).permute(0, 3, 1, 2)


class Stacked:
    """R networks as one module.

    parameters, buffers: by their names in one network, the R networks' own along the first dimension. counters: of
    each network, how many batches its batch norms have seen, which nothing but a checkpoint needs. The networks
    are changed: from here on their parameters and statistics are views of these. UserError for a network with a part
    that cannot be stacked.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.count = len(networks)
        self.networks = list(networks)
        first = networks[0]
        self.parameters = {
            name: nn.Parameter(self._joined([n.get_parameter(name).data for n in networks]))
            for name, _ in first.named_parameters()
        }
        statistics = [name for name, buffer in first.named_buffers() if buffer.dim()]
        self.buffers = {name: self._joined([n.get_buffer(name) for n in networks]) for name in statistics}
        self.module = self._form(first, "")
        self._lend()
        self.counters = [[b for _, b in network.named_buffers() if not b.dim()] for network in networks]

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits (R, B, L) of images (B, R·C, H, W)."""
        return self.apart(self.module(images))

    def apart(self, logits: Tensor) -> Tensor:
        """Return what the module gives, (B, R·L), network by network: (R, B, L)."""
        return logits.unflatten(1, (self.count, -1)).transpose(0, 1)

    def train(self, mode: bool) -> None:
        """Let batch norms use and follow each batch's own statistics, or the kept ones."""
        self.module.train(mode)

    def _joined(self, tensors: Sequence[Tensor]) -> Tensor:
        joined = torch.cat(list(tensors))
        return joined.contiguous(memory_format=torch.channels_last) if joined.dim() == 4 else joined

    def _lend(self) -> None:
        """Make the networks' own tensors views of the joined ones."""
        for name, parameter in self.parameters.items():
            for network, part in zip(self.networks, parameter.data.chunk(self.count), strict=True):
                network.get_parameter(name).data = part
        for name, joined in self.buffers.items():
            for network, part in zip(self.networks, joined.chunk(self.count), strict=True):
                owner, _, own = name.rpartition(".")
                network.get_submodule(owner)._buffers[own] = part

    def _form(self, module: nn.Module, place: str) -> nn.Module:
        """Return the stacked form of the part of a network at a place."""
        kind = type(module)
        if kind in FORMS:
            return FORMS[kind](self, module, place)
        if not calls_its_parts(kind):
            raise UserError(f"stacked: a network with a {kind.__name__} cannot be stacked; leave `stacked` out")
        form: Any = copy.copy(module)
        if kind is Block:
            form.__class__ = StackedBlock
            form.count = self.count
        form._modules = {
            name: None if part is None else self._form(part, f"{place}{name}.")
            for name, part in module._modules.items()
        }
        return form

    def _convolution(self, module: nn.Conv2d, place: str) -> nn.Module:
        if module.padding_mode != "zeros":
            raise UserError(f"stacked: a convolution padded with {module.padding_mode} cannot be stacked")
        form = copy.copy(module)
        form.groups = self.count * module.groups
        form.in_channels, form.out_channels = self.count * module.in_channels, self.count * module.out_channels
        form._parameters = self._parameters_at(module, place)
        return form

    def _norm(self, module: nn.BatchNorm2d | nn.BatchNorm1d, place: str) -> nn.Module:
        if module.momentum is None or not module.track_running_stats:
            raise UserError("stacked: a batch norm without running statistics of a momentum cannot be stacked")
        form: Any = copy.copy(module)
        form.num_features = self.count * module.num_features
        form._parameters = self._parameters_at(module, place)
        form._buffers = {
            **{name: self.buffers[f"{place}{name}"] for name in ("running_mean", "running_var")},
            "num_batches_tracked": None,  # each network counts its own
        }
        return form

    def _linear(self, module: nn.Linear, place: str) -> nn.Module:
        own = self._parameters_at(module, place)
        return StackedLinear(self.count, own["weight"], own["bias"])  # type: ignore[arg-type]

    def _parameters_at(self, module: nn.Module, place: str) -> dict[str, nn.Parameter | None]:
        return {
            name: None if own is None else self.parameters[f"{place}{name}"] for name, own in module._parameters.items()
        }


FORMS: dict[type[nn.Module], Callable[..., nn.Module]] = {
    nn.Conv2d: Stacked._convolution,
    nn.BatchNorm2d: Stacked._norm,
    nn.BatchNorm1d: Stacked._norm,
    nn.Linear: Stacked._linear,
}


def calls_its_parts(kind: type[nn.Module]) -> bool:
    """Return whether modules of a kind are known to have no weights of their own and to call a part with some once."""
    return kind in (Block, StackedBlock, *ALIKE) or f"{kind.__module__}.{kind.__qualname__}" in OF_PARTS


def clip_each(gradients: Sequence[Tensor], count: int, limit: float) -> None:
    """Scale the gradients of each of `count` stacked networks to a norm of at most `limit`, as if it were alone."""
    squares = [g.unflatten(0, (count, -1)).square().flatten(1).sum(1) for g in gradients]
    factor = (limit / (torch.stack(squares).sum(0).sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        each = gradient.unflatten(0, (count, -1))
        each.mul_(factor.view(-1, *[1] * (each.dim() - 1)))
