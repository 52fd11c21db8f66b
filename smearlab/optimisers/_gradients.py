"""Gradients as the fused kernels want them."""

from collections.abc import Sequence

import torch
from torch import Tensor


def laid_out(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Return the gradient of each parameter with the parameter's strides, on which the CUDA kernels insist."""
    return [_like(p, p.grad) for p in parameters if p.grad is not None]


def _like(parameter: Tensor, gradient: Tensor) -> Tensor:
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_strided(parameter.shape, parameter.stride(), device=parameter.device).copy_(gradient)
