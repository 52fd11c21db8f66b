"""What a job asks of the machine, from its recipe and the plan."""

from functools import lru_cache
from math import ceil

from smearlab.grid.cells import Cell, Estimate
from smearlab.grid.plan import GREY, image_size, training_examples, training_minutes

BASE_MEMORY_MB = 2000  # Python, torch and a small network
MEMORY_PER_PIXEL = 12  # bytes: the uint8 images, and one float32 copy with its temporaries while they are normalised
GPU_MEMORY_MB = 2000  # what the CUDA libraries take in the main memory
SAFETY = 3.0  # a node may be slower than the machine that was measured
LEAST_MINUTES = 5
SHORT, MEDIUM = 2.0, 15.0  # expected minutes of one block
EVALUATION_SHARE = 0.25  # an evaluation's passes, and those over snapshots, beside a training's


@lru_cache(1024)  # Snakemake asks for each of them by itself, more than once
def training_resources(cell: Cell | Estimate, attempt: int = 1) -> dict[str, int]:
    """Return what one block asks for: threads, mem_mb, runtime (minutes), gpu and slot.

    Memory and run time grow with the attempt. A recipe that names CUDA asks for one GPU. Each job takes one `slot`,
    of which a SLURM job has one, so that packed jobs take turns (profiles/slurm).
    """
    gpu = int(cell.recipe.settings.device == "cuda")
    return {
        "threads": cell.recipe.settings.threads,
        "mem_mb": (BASE_MEMORY_MB + _data_mb(cell) + gpu * GPU_MEMORY_MB) * attempt,
        "runtime": _requested(training_minutes(cell)) * attempt,
        "gpu": gpu,
        "slot": 1,
    }


def evaluation_resources(cell: Cell, attempt: int = 1) -> dict[str, int]:
    """Return what the evaluation of one block asks for; the keys are those of a training."""
    minutes = _requested(EVALUATION_SHARE * training_minutes(cell))
    return {**training_resources(cell, attempt), "runtime": minutes * attempt}


def length(cell: Cell | Estimate) -> str:
    """Return short, medium or long: how many blocks of a cell are worth one job of a scheduler."""
    minutes = training_minutes(cell)
    return "short" if minutes <= SHORT else "medium" if minutes <= MEDIUM else "long"


def _requested(minutes: float) -> int:
    return max(LEAST_MINUTES, ceil(SAFETY * minutes))


def _data_mb(cell: Cell | Estimate) -> int:
    channels = 1 if cell.labels.dataset.kind in GREY else 3
    pixels = channels * image_size(cell) ** 2
    return ceil(training_examples(cell) * pixels * MEMORY_PER_PIXEL / 1e6)
