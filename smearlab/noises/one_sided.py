"""One-sided noise: class `source` becomes class `target` with probability `rate`; all others keep their label.

Source: the linear example of Lukasik et al. 2020, where one of two classes is corrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.transition import flips

if TYPE_CHECKING:
    from pydantic import Field


def transition(
    n_classes: int,
    *,
    rate: float,
    source: Annotated[int, Field(ge=0)] = 1,
    target: Annotated[int, Field(ge=0)] = 0,
) -> np.ndarray:
    """Return T, (L, L); UserError unless source and target are two of the L classes."""
    if source == target or max(source, target) >= n_classes:
        raise UserError(
            f"noise 'one_sided': source {source} and target {target} must be two different classes "
            f"of 0..{n_classes - 1}"
        )
    class_map = list(range(n_classes))
    class_map[source] = target
    return flips(n_classes, rate, class_map)
