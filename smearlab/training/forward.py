"""A network's forward pass in training: in fp32 as it is, in bf16 with all weights cast together.

Autocast casts the weights of each convolution and linear layer by a kernel of its own, every step, and each gradient
back by another. Here one multi-tensor copy makes all of the step's bf16 weights from their fp32 masters, and one takes
all gradients back: the same rounding, so the same bits.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from smearlab.training.device import autocast
from smearlab.training.stacking import FORMS, StackedLinear, calls_its_parts

CAST = (nn.Conv2d, nn.Linear, StackedLinear)  # what autocast runs in bf16
PRETRAINED = "smearlab.networks.pretrained.Pretrained"  # calls its parts too, though it cannot be stacked


class Forward:
    """The forward pass of one network: images to logits float32, which reach its parameters as they are."""

    def __init__(self, network: nn.Module, device: torch.device, precision: str) -> None:
        self.network, self.device, self.precision = network, device, precision
        self.names = cast_weights(network) if precision == "bf16" else []

    def __call__(self, images: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            return self._logits(images).float()

    def _logits(self, images: Tensor) -> Tensor:
        if not self.names:
            return self.network(images)
        weights = _Cast.apply(*map(self.network.get_parameter, self.names))
        return functional_call(self.network, dict(zip(self.names, weights, strict=True)), (images,), tie_weights=False)


def cast_weights(network: nn.Module) -> list[str]:
    """Return the names of the fp32 weights that autocast would cast once in each forward pass.

    None where that is not known: where a part is of another kind than ours and torchvision's, or two share a weight.
    """
    parts = list(network.named_modules(remove_duplicate=False))
    weights = [parameter for _, part in parts for parameter in part._parameters.values() if parameter is not None]
    tied = len({id(parameter) for parameter in weights}) < len(weights)
    if tied or not all(_is_known(type(part)) for _, part in parts):
        return []
    cast = {id(p) for _, part in parts if type(part) in CAST for p in part.parameters() if p.dtype == torch.float32}
    return [name for name, parameter in network.named_parameters() if id(parameter) in cast]


def cast_for_ever(network: nn.Module, precision: str) -> None:
    """Put the weights of a network that nobody trains into the precision in which it is asked."""
    for name in cast_weights(network) if precision == "bf16" else []:
        parameter = network.get_parameter(name)
        parameter.data = parameter.data.bfloat16()


def _is_known(kind: type[nn.Module]) -> bool:
    named = f"{kind.__module__}.{kind.__qualname__}"
    return kind in FORMS or kind is StackedLinear or named == PRETRAINED or calls_its_parts(kind)


class _Cast(torch.autograd.Function):
    """All of some fp32 tensors in bf16; their gradients in fp32."""

    @staticmethod
    def forward(ctx: Any, *masters: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        found = _copies(masters, torch.bfloat16)
        ctx.mark_non_differentiable(*(t for t, learns in zip(found, ctx.needs_input_grad, strict=True) if not learns))
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        found = iter(_copies([g for g in gradients if g is not None], torch.float32))
        return tuple(None if g is None else next(found) for g in gradients)


def _copies(tensors: Any, dtype: torch.dtype) -> list[Tensor]:
    """Return tensors, of the same memory order, in another precision: one kernel on CUDA."""
    found = [torch.empty_like(t, dtype=dtype) for t in tensors]
    if found:
        torch._foreach_copy_(found, list(tensors))
    return found
