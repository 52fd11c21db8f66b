"""A network's forward pass in training: in fp32 as it is, in bf16 with all weights cast together, compiled if asked.

Autocast casts the weights of each convolution and linear layer by a kernel of its own, every step, and each gradient
back by another. Here one multi-tensor copy makes all of the step's bf16 weights from their fp32 masters, and one takes
all gradients back: the same rounding, so the same bits.

Compiled (recipe key `compile`), what stands between convolutions becomes a few kernels, which round elsewhere. Nothing
in them is chosen by measuring or trying, so that a job that is continued computes what it would have.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from smearlab.training.device import autocast
from smearlab.training.stacking import FORMS, StackedLinear, calls_its_parts

CAST = (nn.Conv2d, nn.Linear, StackedLinear)  # what autocast runs in bf16
UNMEASURED = {  # how torch compiles: by rules alone, for the instructions that the processor names
    "deterministic": True,
    "cpp.vec_isa_ok": True,  # else each is tried, and left out where a try takes a minute: on a busy machine
}
PRETRAINED = "smearlab.networks.pretrained.Pretrained"  # calls its parts too, though it cannot be stacked


class Forward:
    """The forward pass of one network: images to logits float32, which reach its parameters as they are."""

    def __init__(self, network: nn.Module, device: torch.device, precision: str, *, compiled: bool = False) -> None:
        self.network, self.device, self.precision, self.compiled = network, device, precision, compiled
        self.names = cast_weights(network) if precision == "bf16" else []

    def __call__(self, images: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            return self._logits(images).float()

    def _logits(self, images: Tensor) -> Tensor:
        masters = [self.network.get_parameter(name) for name in self.names]
        weights = dict(zip(self.names, _Cast.apply(*masters), strict=True)) if masters else {}
        return (compiled_pass() if self.compiled else plain_pass)(self.network, weights, images)


def plain_pass(network: nn.Module, weights: dict[str, Tensor], images: Tensor) -> Tensor:
    """Return a network's logits with some of its weights replaced by their names."""
    return functional_call(network, weights, (images,), tie_weights=False) if weights else network(images)


@cache
def compiled_pass() -> Callable[[nn.Module, dict[str, Tensor], Tensor], Tensor]:
    """Return the same, compiled once for all networks of a form: their parameters and buffers are its arguments."""
    return torch.compile(plain_pass, fullgraph=True, dynamic=False, options=UNMEASURED)


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
