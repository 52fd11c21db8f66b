"""How a network begins and at which rates its parts learn: weights from a file, a slower or frozen body."""

from typing import Any

import torch
from torch import Tensor, nn

from smearlab.core import registry
from smearlab.core.jobs import Choice
from smearlab.training.vectors import Statistics


def begin(network: nn.Module, architecture: Choice, statistics: Statistics) -> None:
    """Give a network the weights of the file that its architecture names; any other keeps its random ones."""
    module = registry.load("networks", architecture["name"])
    if hasattr(module, "begin"):
        module.begin(network, architecture, statistics)


def learnt(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of a network that are not frozen."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def optimiser_of(network: nn.Module, choice: Choice, device: torch.device) -> Any:
    """Return the optimiser of what a network learns; a `body_rate` between 0 and 1 makes its body slower."""
    rate = getattr(network, "body_rate", 1.0)
    if rate in (0, 1):
        return registry.build("optimisers", choice, learnt(network), device)
    head, body = (
        registry.build("optimisers", choice, learnt(network.get_submodule(name)), device) for name in ("head", "body")
    )
    return TwoRates(head, body, rate, device)


class TwoRates:
    """Two optimisers as one: the head's at the learning rate, the body's at `rate` times it."""

    def __init__(self, head: Any, body: Any, rate: float, device: torch.device) -> None:
        self.parts = {"head": (head, 1.0), "body": (body, rate)}
        self.learning_rate = torch.zeros((), device=device)

    def step(self) -> None:
        """Update all parameters from their gradients."""
        for optimiser, rate in self.parts.values():
            optimiser.learning_rate.copy_(self.learning_rate * rate)
            optimiser.step()

    def state(self) -> dict[str, Tensor]:
        """Return the state of both, by the part's name before theirs."""
        return {f"{part}.{k}": t for part, (optimiser, _) in self.parts.items() for k, t in optimiser.state().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put a saved state back."""
        for part, (optimiser, _) in self.parts.items():
            own = {k.removeprefix(f"{part}."): t for k, t in state.items() if k.startswith(f"{part}.")}
            optimiser.restore(own)
