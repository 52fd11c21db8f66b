"""Stochastic gradient descent with (Nesterov) momentum and weight decay, in one fused kernel.

The rule is that of torch.optim.SGD (a test compares them, to 1e-6). It is called directly because the
learning rate must be a tensor that a recorded CUDA graph reads anew at every replay, because momentum is then
plain state for a checkpoint, and because the first use of torch.optim loads torch's compiler: two seconds, in
jobs that may last three.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import torch
from torch import Tensor, nn

from smearlab.optimisers._gradients import laid_out

if TYPE_CHECKING:
    from pydantic import Field

STACKS = True


def build(
    parameters: Iterable[nn.Parameter],
    device: torch.device,
    *,
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 0.1,
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9,
    nesterov: bool = True,
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0,
) -> GradientDescent:
    """Return the optimiser of these parameters; the learning rate is set before every step."""
    rule = {"weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov and momentum > 0}
    return GradientDescent(list(parameters), rule, device)


class GradientDescent:
    """SGD over parameters; momentum: one buffer each, of its shape and memory order; none if the momentum is 0."""

    def __init__(self, parameters: list[Tensor], rule: dict[str, Any], device: torch.device) -> None:
        self.parameters = parameters
        self.learning_rate = torch.zeros((), device=device)
        self.rule = {**rule, "dampening": 0.0, "maximize": False, "is_first_step": False}
        self.momentum = [torch.zeros_like(p) for p in parameters] if rule["momentum"] else []

    def step(self) -> None:
        """Update all parameters from their gradients."""
        with torch.no_grad():
            gradients = laid_out(self.parameters)
            torch._fused_sgd_(self.parameters, gradients, self.momentum, lr=self.learning_rate, **self.rule)

    def state(self) -> dict[str, Tensor]:
        """Return the momentum buffers by the position of their parameter."""
        return {str(position): buffer for position, buffer in enumerate(self.momentum)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put saved momentum buffers back."""
        for position, buffer in state.items():
            self.momentum[int(position)].copy_(buffer)
