"""What a grid costs before it runs, from measured throughput."""

from collections.abc import Mapping
from math import inf
from pathlib import Path

from smearlab.grid import gpu_rates
from smearlab.grid.cells import RESULTS, Cell, Estimate, Grid
from smearlab.grid.definitions import CROSS_ENTROPY, Dataset
from smearlab.store.npz_shape import npz_shape

# Training images of 32×32 pixels a second on one CPU thread with bf16 arithmetic, measured for cnn and resnet32
# (benchmarks/throughput.py, reports/published/) and scaled by multiplications for the others.
IMAGES_PER_SECOND = {
    "linear": 20000,  # these two: examples of some ten features in batches of 32, in fp32
    "mlp": 15000,
    "cnn": 4000,
    "resnet8": 2200,
    "resnet20": 690,
    "resnet32": 410,
    "resnet44": 290,
    "resnet56": 225,
    "resnet18": 50,
    "resnet34": 25,
    "resnet50": 22,
    "pretrained": 400,  # its stem halves the image twice
}
WEIGHTS_MB = {
    "linear": 0.01,
    "mlp": 0.05,
    "cnn": 0.6,
    "resnet8": 0.3,
    "resnet20": 1.1,
    "resnet32": 1.9,
    "resnet44": 2.7,
    "resnet56": 3.4,
    "resnet18": 45,
    "resnet34": 85,
    "resnet50": 94,
    "pretrained": 94,
}
TRAINING_EXAMPLES = {
    "breast_cancer": 270,
    "wine": 85,
    "digits": 1200,
    "mnist": 54000,
    "fashion_mnist": 54000,
    "cifar10": 45000,
    "cifar100": 45000,
}
GREY = {"digits": 8, "mnist": 28, "fashion_mnist": 28}  # the side of their images; others: 32, in colour
AUGMENTED_PER_SECOND = 7000  # images of 32×32 that one thread augments beyond crop and flip, measured for randaugment
SLOWER_FP32 = 2.0
JOB_SECONDS = 4.0
EVALUATION_SECONDS = 4.0
GPUS = (1, 4, 8)  # that the plan speaks of


def training_minutes(cell: Cell | Estimate) -> float:
    """Return the expected minutes of one block where its recipe asks for: on one GPU, or with its CPU threads."""
    return gpu_minutes(cell) if cell.recipe.settings.device == "cuda" else cpu_minutes(cell)


def gpu_minutes(cell: Cell | Estimate, own: Mapping[gpu_rates.Kind, float] = {}) -> float:
    """Return the expected minutes of one block on one GPU; own: speeds that were measured on this machine."""
    settings = cell.recipe.settings
    rate = min(gpu_rates.images_per_second(settings, image_size(cell), own), _augmented_per_second(cell))
    return (gpu_rates.START_SECONDS + images_trained(cell) * settings.block_size / rate) / 60


def cpu_minutes(cell: Cell | Estimate) -> float:
    """Return the expected minutes of one block on one CPU thread."""
    settings = cell.recipe.settings
    rate = IMAGES_PER_SECOND.get(cell.recipe.arch, 100) * settings.threads * (32 / image_size(cell)) ** 2
    passes = 2 if settings.sam_radius else 1
    images = images_trained(cell) * settings.block_size
    seconds = passes * images / rate * (1.0 if settings.precision == "bf16" else SLOWER_FP32)
    return (JOB_SECONDS + seconds + images / _augmented_per_second(cell)) / 60


def _augmented_per_second(cell: Cell | Estimate) -> float:
    """Return the images a second that are augmented beyond crop and flip; without end where none are."""
    beyond = cell.recipe.settings.augmentation.name != "none"
    return AUGMENTED_PER_SECOND * (32 / image_size(cell)) ** 2 if beyond else inf


def image_size(cell: Cell | Estimate) -> int:
    """Return the side of the images that are trained on, in pixels; 32 where neither config nor file at hand says."""
    dataset = cell.labels.dataset
    resized = cell.recipe.settings.architecture.get("input_size")
    return resized or dataset.options.get("size") or _declared(dataset) or GREY.get(dataset.kind, 32)


def _declared(dataset: Dataset) -> int | None:
    """Return the longer side that the user's own array of images declares."""
    path = str(dataset.options.get("path", ""))
    shape = (npz_shape(path, "images") if path.endswith(".npz") else None) or ()
    return max(shape[1:3]) if len(shape) in (3, 4) else None


def images_trained(cell: Cell | Estimate) -> float:
    """Return the images that one replicate is trained on, counted as often as they are seen."""
    settings, estimate = cell.recipe.settings, cell.recipe.estimate
    if isinstance(cell, Estimate):  # one network a fold, each on all the others
        return (estimate.folds - 1) * estimate.length * images_trained(Cell(cell.labels, cell.recipe, CROSS_ENTROPY))
    if settings.steps is not None:
        return settings.steps * settings.batch_size
    return (settings.epochs or 0) * training_examples(cell)


def training_examples(cell: Cell | Estimate) -> int:
    """Return the number of training examples, from the subset, the user's files or the usual size of the set."""
    dataset = cell.labels.dataset
    kept = dataset.settings["subset"] or dataset.n_examples
    if kept is not None:
        return round(kept * (1 - dataset.settings["validation"]))
    return TRAINING_EXAMPLES.get(dataset.kind, 50000)


def disk_mb(cell: Cell) -> float:
    """Return the expected megabytes of one block: last and selected weights, Label Wave's and the snapshots of each."""
    settings = cell.recipe.settings
    weights = WEIGHTS_MB.get(cell.recipe.arch, 10)
    if cell.recipe.arch == "cnn":  # most of it is a layer that sees every place of the image
        weights *= 0.15 + 0.85 * (image_size(cell) / 32) ** 2
    return settings.block_size * (2 + settings.label_wave + settings.snapshots) * weights


def plan(grid: Grid, results: Path = Path(RESULTS)) -> str:
    """Return the plan of a grid as text: jobs, hours on CPU and GPU, disk; rough, from what was measured.

    results: finished trainings on a GPU among these say how fast this machine's is.
    """
    lines = [f"{grid.name}: {len(grid.named)} named cells, {len(grid.cells)} computations"]
    minutes = 0.0
    for role, computations in (
        ("estimates of T", list(grid.estimates.values())),
        ("teachers", [cell for cell in grid.cells.values() if cell.role == "teacher"]),
        ("students", [cell for cell in grid.cells.values() if cell.role == "student"]),
    ):
        blocks = sum(len(grid.blocks(one)) for one in computations)
        spent = sum(cpu_minutes(one) * len(grid.blocks(one)) for one in computations)
        minutes += spent
        if blocks:
            lines.append(f"  {role}: {blocks} blocks, about {_hours(spent)}")
    blocks = len(grid.folders())
    minutes += blocks * EVALUATION_SECONDS / 60
    stays = sum(disk_mb(cell) * len(grid.blocks(cell)) for cell in grid.cells.values())
    kept = {"weights": "kept", "teachers": "the students' are deleted", "none": "deleted after use"}[grid.config.keep]
    lines.append(f"  evaluations: {blocks} blocks")
    lines.append(f"  in all about {_hours(minutes)} of one CPU thread, {_hours(minutes / 2)} on two cores")
    lines.append(f"  weights: about {stays / 1000:.1f} GB ({kept})")
    if any(cell.recipe.settings.device != "cpu" for cell in grid.cells.values()):
        lines.append(_on_gpus(grid, results))
    return "\n".join(lines)


def _on_gpus(grid: Grid, results: Path) -> str:
    """Return the line that says how long the parts that may run on GPUs take there."""
    own, devices = gpu_rates.own_rates(results)
    cells: list[Cell | Estimate] = [*grid.estimates.values(), *grid.cells.values()]
    minutes = sum(gpu_minutes(c, own) * len(grid.blocks(c)) for c in cells if c.recipe.settings.device != "cpu")
    blocks = sum(len(grid.blocks(c)) for c in grid.cells.values() if c.recipe.settings.device != "cpu")
    minutes += blocks * gpu_rates.EVALUATION_SECONDS / 60
    asked = {gpu_rates.kind_of(cell.recipe.settings) for cell in cells}
    known = f"own finished runs on {', '.join(sorted(devices))}" if asked & own.keys() else ""
    source = " and ".join(filter(None, [known, f"an {gpu_rates.CARD}" if asked - own.keys() else ""]))
    times = ", ".join(f"{_hours(minutes / n)} on {n}" for n in GPUS if n == 1 or n <= blocks)
    return f"  on GPUs, by {source}: about {times}; cells without device cpu, one block a GPU at a time"


def _hours(minutes: float) -> str:
    return f"{minutes:.0f} minutes" if minutes < 100 else f"{minutes / 60:.1f} hours"
