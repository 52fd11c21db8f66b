"""Stronger weight decay with the plain loss: the control for smoothing read as an l2 penalty (Lukasik et al. 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from pydantic import Field

LABEL = "weight decay"
FAMILY = "controls"


def settings(recipe: dict[str, Any], *, decay: Annotated[float, Field(ge=0, le=1)]) -> dict[str, Any]:
    """Return the recipe with the optimiser's weight decay set to `decay`; nothing else changes."""
    return {**recipe, "optimiser": {**recipe["optimiser"], "weight_decay": decay}}
