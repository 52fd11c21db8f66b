"""What a grid costs before it runs, from measured throughput."""

from smearlab.definitions import CROSS_ENTROPY
from smearlab.grid import Cell, Estimate, Grid

# Training images a second on one CPU thread in bf16 (see benchmarks/README.md); fp32 takes about three times as long.
IMAGES_PER_SECOND = {
    "cnn": 6000,
    "resnet8": 1700,
    "resnet20": 560,
    "resnet32": 330,
    "resnet44": 240,
    "resnet56": 190,
    "resnet18": 60,
    "resnet34": 30,
    "resnet50": 3,
}
TRAINING_EXAMPLES = {"digits": 1200, "mnist": 54000, "fashion_mnist": 54000, "cifar10": 45000, "cifar100": 45000}
SLOWER_FP32 = 3.0
JOB_SECONDS = 4.0


def training_minutes(cell: Cell | Estimate) -> float:
    """Return the expected minutes of one block on one CPU thread."""
    settings = cell.recipe.settings
    rate = IMAGES_PER_SECOND.get(cell.recipe.arch, 100) * settings["threads"]
    seconds = images_trained(cell) * settings["block_size"] / rate
    return (JOB_SECONDS + seconds * (1.0 if settings["precision"] == "bf16" else SLOWER_FP32)) / 60


def images_trained(cell: Cell | Estimate) -> float:
    """Return the images that one replicate is trained on, counted as often as they are seen."""
    settings, estimate = cell.recipe.settings, cell.recipe.estimate
    if isinstance(cell, Estimate):  # one network a fold, each on all the others
        return (estimate.folds - 1) * estimate.length * images_trained(Cell(cell.labels, cell.recipe, CROSS_ENTROPY))
    if settings["steps"] is not None:
        return settings["steps"] * settings["batch_size"]
    return settings["epochs"] * training_examples(cell)


def training_examples(cell: Cell | Estimate) -> int:
    """Return the number of training examples, from the subset or the usual size of the set."""
    dataset = cell.labels.dataset
    kept = dataset.settings["subset"]
    if kept is not None:
        return round(kept * (1 - dataset.settings["validation"]))
    return TRAINING_EXAMPLES.get(dataset.kind, 50000)


def plan(grid: Grid) -> str:
    """Return the plan of a grid as text: jobs, hours of one CPU thread."""
    blocks = len(grid.folders())
    computations = [*grid.cells.values(), *grid.estimates.values()]
    hours = sum(training_minutes(one) * len(grid.blocks(one)) for one in computations) / 60
    return f"{grid.name}: {len(grid.cells)} cells, {blocks} blocks to train, about {hours:.1f} CPU-thread hours"
