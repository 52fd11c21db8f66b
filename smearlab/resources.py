"""What a training job asks of the machine, from its recipe."""

from smearlab.grid import Cell
from smearlab.plan import training_minutes

BASE_MEMORY_MB = 2500  # the libraries and a small data set; larger ones come on top


def training_resources(cell: Cell, attempt: int = 1) -> dict[str, int]:
    """Return threads, memory (MB) and run time (minutes) of one block; the last two grow with the attempt."""
    return {
        "threads": cell.recipe.settings["threads"],
        "mem_mb": BASE_MEMORY_MB * attempt,
        "runtime": max(10, round(3 * training_minutes(cell))) * attempt,
    }
