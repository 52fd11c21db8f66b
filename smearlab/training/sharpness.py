"""Sharpness-aware minimisation: descend by the gradient of the worst point nearby (Foret et al. 2021).

The weights w climb to w + ρ g / ‖g‖, g the gradient of the mean loss at w and ‖g‖ its norm over all parameters; the
gradient there is the one that the optimiser takes, from w. What a forward pass leaves besides, batch statistics and the
state of a method, is that of the pass at w.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

TINY = 1e-12  # added to the norm, as in the authors' code


class Sharpness:
    """Climbs from the parameters' values and goes back; `left_alone`: tensors that the second pass must not change."""

    def __init__(self, radius: float, parameters: Iterable[Tensor], left_alone: Iterable[Tensor]) -> None:
        self.radius, self.parameters, self.left_alone = radius, list(parameters), list(left_alone)
        self.before: list[tuple[Tensor, Tensor]] = []

    def climbed(self, loss: Tensor, loss_of: Callable[[], Tensor]) -> Tensor:
        """Return the loss of the same batch at the top of the climb; all stays as it is there until `back`."""
        gradients = torch.autograd.grad(loss, self.parameters, allow_unused=True)
        self.before = [(t, t.detach().clone()) for t in (*self.parameters, *self.left_alone)]
        with torch.no_grad():
            known = [g for g in gradients if g is not None]
            scale = self.radius / (torch.stack([g.square().sum() for g in known]).sum().sqrt() + TINY)
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                if gradient is not None:
                    parameter.add_(scale * gradient)
        return loss_of()

    def back(self) -> None:
        """Put everything back where the climb began; the gradients of the top stay."""
        with torch.no_grad():
            for tensor, value in self.before:
                tensor.copy_(value)
