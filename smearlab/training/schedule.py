"""Learning rates as a pure function of the step, so that a resumed run needs no scheduler state."""

import bisect
import math
from typing import Any

import torch
from torch import Tensor

from smearlab.core.errors import UserError


def learning_rate(step: int, total: int, base: float, schedule: dict[str, Any]) -> float:
    """Return the learning rate of a step in 0..total-1.

    The first `warmup` fraction of training rises linearly to `base`. Then cosine falls to 0 at `total`; step
    multiplies by `factor` at each of `milestones` (fractions of the whole training); constant stays.
    """
    warm = math.ceil(schedule["warmup"] * total)
    if step < warm:
        return base * (step + 1) / warm
    match schedule["name"]:
        case "constant":
            return base
        case "cosine":
            return base * 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))
        case "step":
            passed = bisect.bisect_right([round(m * total) for m in sorted(schedule["milestones"])], step)
            return base * schedule["factor"] ** passed
        case name:
            raise UserError(f"recipe: schedule.name {name!r} is unknown; allowed: cosine, step, constant")


def learning_rates(total: int, base: float, schedule: dict[str, Any]) -> Tensor:
    """Return the learning rate of every step, float64 (total,)."""
    return torch.tensor([learning_rate(k, total, base, schedule) for k in range(total)], dtype=torch.float64)
