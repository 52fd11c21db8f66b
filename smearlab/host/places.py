"""Where a job's files lie that Snakemake does not declare, and how its declared ones are listed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKPOINTS = Path(".smearlab") / "checkpoints"


def checkpoint_path(job: Mapping[str, Any]) -> Path:
    """Return where a block's checkpoint lies: outside the declared outputs, which Snakemake deletes before a retry."""
    return CHECKPOINTS / job["cell"] / f"{job['block']}.checkpoint"


def paths_of(value: str | list[str]) -> list[str]:
    """Return the paths of a job's input that may be one file or several."""
    return [value] if isinstance(value, str) else list(value)
