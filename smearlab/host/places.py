"""Where a job's files lie that Snakemake does not declare."""

from pathlib import Path

CHECKPOINTS = Path(".smearlab") / "checkpoints"


def checkpoint_path(cell: str, block: str) -> Path:
    """Return where a block's checkpoint lies: outside the declared outputs, which Snakemake deletes before a retry."""
    return CHECKPOINTS / cell / f"{block}.checkpoint"
