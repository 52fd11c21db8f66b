"""AdamW: adaptive moments with decoupled weight decay (Loshchilov & Hutter 2019), in one fused kernel.

The rule is that of torch.optim.AdamW (a test compares them), called directly for the reasons of sgd.
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
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 1e-3,
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9,
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999,
    epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-8,
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01,
) -> AdamW:
    """Return the optimiser of these parameters; the learning rate is set before every step."""
    rule = {"beta1": beta1, "beta2": beta2, "eps": epsilon, "weight_decay": weight_decay}
    return AdamW(list(parameters), rule, device)


class AdamW:
    """Two moments of each parameter's gradient, of its shape and memory order, and one count of steps for all."""

    def __init__(self, parameters: list[Tensor], rule: dict[str, Any], device: torch.device) -> None:
        self.parameters = parameters
        self.learning_rate = torch.zeros((), device=device)
        self.rule = {**rule, "amsgrad": False, "maximize": False}
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.steps = [torch.zeros((), device=device) for _ in parameters]

    def step(self) -> None:
        """Update all parameters from their gradients."""
        with torch.no_grad():
            torch._foreach_add_(self.steps, 1)
            torch._fused_adamw_(
                self.parameters,
                laid_out(self.parameters),
                self.first,
                self.second,
                [],
                self.steps,
                lr=self.learning_rate,
                **self.rule,
            )

    def state(self) -> dict[str, Tensor]:
        """Return moments and step counts by their kind and the position of their parameter."""
        kinds = {"first": self.first, "second": self.second, "steps": self.steps}
        return {f"{kind}/{position}": tensor for kind, own in kinds.items() for position, tensor in enumerate(own)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put saved moments and step counts back."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])
