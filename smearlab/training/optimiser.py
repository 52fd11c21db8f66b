"""Stochastic gradient descent with (Nesterov) momentum and weight decay, in one fused kernel.

The rule is that of torch.optim.SGD (a test compares them, to 1e-6). It is called directly because the
learning rate must be a tensor that a recorded CUDA graph reads anew at every replay, because momentum is then
plain state for a checkpoint, and because the first use of torch.optim loads torch's compiler: two seconds, in
jobs that may last three.
"""

from typing import Any

import torch
from torch import Tensor, nn

from smearlab.core.errors import UserError


class GradientDescent:
    """SGD over all parameters of a network; `learning_rate` (a tensor, ()) is set before every step.

    momentum: one buffer per parameter, of its shape and memory order; none if the momentum is 0.
    """

    def __init__(self, network: nn.Module, settings: dict[str, Any], device: torch.device) -> None:
        if settings["name"] != "sgd":
            raise UserError(f"recipe: optimiser.name {settings['name']!r} is unknown; allowed: sgd")
        self.parameters = list(network.parameters())
        self.learning_rate = torch.zeros((), device=device)
        self.rule = {
            "weight_decay": settings["weight_decay"],
            "momentum": settings["momentum"],
            "nesterov": settings["nesterov"] and settings["momentum"] > 0,
            "dampening": 0.0,
            "maximize": False,
            "is_first_step": False,
        }
        self.momentum = [torch.zeros_like(p) for p in self.parameters] if settings["momentum"] else []

    def forget_gradients(self) -> None:
        """Drop the gradients, so that the next backward pass writes instead of adding."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update all parameters from their gradients."""
        with torch.no_grad():
            gradients = [_laid_out_like(p, p.grad) for p in self.parameters]
            torch._fused_sgd_(self.parameters, gradients, self.momentum, lr=self.learning_rate, **self.rule)

    def state(self) -> dict[str, Tensor]:
        """Return the momentum buffers by the position of their parameter."""
        return {str(position): buffer for position, buffer in enumerate(self.momentum)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put saved momentum buffers back."""
        for position, buffer in state.items():
            self.momentum[int(position)].copy_(buffer)


def _laid_out_like(parameter: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient with the strides of its parameter, which the fused CUDA kernel insists on."""
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_strided(parameter.shape, parameter.stride(), device=parameter.device).copy_(gradient)
