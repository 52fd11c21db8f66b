"""Learning rates of all steps: a linear rise, then the registered schedule."""

import inspect
import math
from typing import Any

import torch
from torch import Tensor

from smearlab.core import registry
from smearlab.core.jobs import Choice


def learning_rates(total: int, base: float, schedule: Choice) -> Tensor:
    """Return the learning rate of every step, float64 (total,).

    The first `warmup` fraction of training rises linearly to `base`; from there on the schedule is a factor on it.
    """
    warm = math.ceil(schedule["warmup"] * total)
    factor = registry.load("schedules", schedule["name"]).factor
    options = _taken(factor, registry.filled("schedules", schedule["name"], schedule))
    rates = [base * (k + 1) / warm if k < warm else base * factor(k, total, warm, **options) for k in range(total)]
    return torch.tensor(rates, dtype=torch.float64)


def _taken(factor: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return what a schedule takes of the keys that all schedules share and of its own."""
    return {name: known[name] for name in inspect.signature(factor).parameters if name in known}
