"""What a grid asks, fixed before it is answered: headline, margin, families, and the config as a whole."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from smearlab.core import registry
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.definitions import CROSS_ENTROPY, Method
from smearlab.grid.lasting import neutral
from smearlab.store.registered import NAME, TERMS

USUAL_ALPHA = 0.1  # of the headline, where the config names none (Lukasik et al. 2020)


def place(name: str) -> Path:
    """Return where the registration of the grid of a name lies."""
    return Path(RESULTS) / name / NAME


def terms(grid: Grid) -> dict[str, Any]:
    """Return the terms of a grid: plain values, the same for the same config, in any process."""
    config = json.dumps(_asked(grid.config), sort_keys=True, ensure_ascii=False)
    values = (hashlib.sha256(config.encode()).hexdigest(), _headline(grid), grid.config.margin, _families(grid))
    return dict(zip(TERMS, values, strict=True))


def _asked(config: BaseModel) -> dict[str, Any]:
    """Return a config as plain values, without keys that are neutral and came after the first registrations (since)."""
    said = config.model_dump(mode="json")
    for name, field in type(config).model_fields.items():
        value, extra = getattr(config, name), field.json_schema_extra
        if isinstance(value, BaseModel):
            said[name] = _asked(value)
        elif isinstance(value, dict):
            said[name] |= {key: _asked(part) for key, part in value.items() if isinstance(part, BaseModel)}
        elif isinstance(extra, dict) and "since" in extra and value == neutral(field):
            del said[name]
    return said


def _headline(grid: Grid) -> dict[str, Any]:
    if grid.config.primary is not None:
        return grid.config.primary.model_dump()
    named = [m.alpha for m in grid.definitions.methods if m.name == "label_smoothing"]
    alphas = [alpha for alpha in named if alpha is not None and alpha > 0]
    nearest = min(alphas, key=lambda alpha: (round(abs(alpha - USUAL_ALPHA), 12), alpha)) if alphas else None
    return {"method": "label_smoothing", "alpha": nearest, "transition": None}


def _families(grid: Grid) -> dict[str, list[str]]:
    """Return what each family holds: those of the config its variants, those by kind the names of their methods."""
    of = {method: family for family, methods in grid.families.items() for method in methods}
    found: dict[str, set[str]] = {}
    for method in grid.definitions.methods:
        if method != CROSS_ENTROPY:
            family, member = (of[method], method.id) if of else _kind(method)
            found.setdefault(family, set()).add(member)
    return {family: sorted(members) for family, members in sorted(found.items())}


def _kind(method: Method) -> tuple[str, str]:
    return str(registry.describe("methods", method.name).constants.get("FAMILY", method.name)), method.name
