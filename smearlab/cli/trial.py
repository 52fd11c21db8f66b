"""A grid's data and given labels read once, by what the stages read them with, so that a fault is told before a run."""

from collections.abc import Iterator

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import RecipeSettings
from smearlab.grid.cells import Grid, Labels
from smearlab.grid.definitions import Dataset
from smearlab.grid.resolve import Faults
from smearlab.noises._draw import aligns, draw, inner_noise
from smearlab.stages.make_dataset import canonical
from smearlab.stages.make_labels import context_of
from smearlab.store.dataset import Canonical


def tried(grid: Grid) -> list[str]:
    """Return what is to be said of a grid's data, a line each; UserError with a line for each that a run would refuse.

    Nothing is written, and nothing downloaded: a data set whose files are not here is passed over, which is said.
    """
    said: list[str] = []
    faults = Faults()
    for dataset in grid.datasets.values():
        if is_at_hand(dataset):
            for read in faults.collect(canonical, dataset.contents, dataset.options):
                said += [*_parts(dataset, read), *_doubts(grid, dataset, read, faults)]
                for settings in _trainings(grid, dataset):
                    faults.collect(_build, settings, dataset, read)
        else:
            said.append(f"{dataset.name}: its files are not here; the run downloads and reads them")
    faults.stop()
    return list(dict.fromkeys(said))  # redrawn splits of one data set say the same


def is_at_hand(dataset: Dataset) -> bool:
    """Whether a data set can be read without a download."""
    module = registry.load("datasets", dataset.kind)
    return bool(module.at_hand()) if hasattr(module, "at_hand") else True


def _parts(dataset: Dataset, read: Canonical) -> list[str]:
    train, test = read.training.meta, read.test.meta
    sizes = f"{train['n_train']:,} to train, {train['n_validation']:,} to validate, {test['n']:,} to test"
    return [f"{dataset.name}: {line}" for line in (sizes, *train["notes"], *test["notes"])]


def _doubts(grid: Grid, dataset: Dataset, read: Canonical, faults: Faults) -> list[str]:
    """Return what speaks against the labels that the grid's files give; those that are drawn need no trial."""
    given = [labels for labels in grid.labels.values() if labels.dataset.id == dataset.id and _is_given(labels)]
    found = [doubts for labels in given for doubts in faults.collect(_observe, labels, read)]
    return list(dict.fromkeys(line for doubts in found for line in doubts))


def _is_given(labels: Labels) -> bool:
    options = labels.noise.options
    kinds = [labels.noise.kind, *([inner_noise(options["of"])[0]] if "of" in options else [])]
    return any("GIVEN" in registry.describe("noises", kind).constants for kind in kinds)


def _observe(labels: Labels, read: Canonical) -> list[str]:
    noise, dataset = labels.noise, labels.dataset
    source = dataset.options if aligns(noise.kind, noise.options) else None
    context = context_of(dataset.kind, read.training, source)
    observed = draw(noise.kind, context, rate=labels.rate, noise_seed=0, options=noise.options)
    return [f"{dataset.name}, {noise.name}: {doubt}" for doubt in observed.doubts]


def _trainings(grid: Grid, dataset: Dataset) -> Iterator[RecipeSettings]:
    """Yield the recipes that a data set is trained with, one of those that are equal in what is tried."""
    seen = []
    for cell in grid.cells.values():
        settings = cell.recipe.settings
        kind = settings.architecture, settings.augmentation, settings.precision, settings.device
        if cell.labels.dataset.id == dataset.id and kind not in seen:
            seen.append(kind)
            yield settings


def _build(settings: RecipeSettings, dataset: Dataset, read: Canonical) -> None:
    """Build a network without memory for its weights; it and the augmentation must take examples of this size."""
    import torch

    from smearlab.training.batches import input_shape
    from smearlab.training.single_pixels import check_bf16
    from smearlab.training.staging import check_images, is_beyond

    shape = input_shape(read.training.images)
    try:
        with torch.device("meta"):
            registry.build("networks", settings.architecture, dataset.n_classes, *shape)
        if is_beyond(settings.augmentation):
            check_images(settings.augmentation, *shape)
        if settings.device == "cpu" or (settings.device == "auto" and not torch.cuda.is_available()):
            check_bf16(settings, dataset.n_classes, shape)
    except UserError as error:
        raise UserError(f"{dataset.name}: {error}") from None
