"""A trained network as files to take along: finds the replicate of a cell and gathers what its bundle holds."""

from pathlib import Path
from typing import Any

from smearlab.cli.replicate import Trained
from smearlab.core.errors import UserError
from smearlab.core.jobs import TrainingJob, plain
from smearlab.grid.dag import METRICS, RUN, WEIGHTS
from smearlab.grid.jobs import training_job
from smearlab.store.dataset import TRAIN, read_training
from smearlab.store.files import read_sealed

EXPORTS = Path("exports")


def export(found: Trained, checkpoint: str | None = None, out: str | None = None) -> list[Path]:
    """Write the bundle of one replicate and return its files.

    checkpoint: last or selected; default: the one that its recipe reports. out: a folder. UserError for a replicate
    that is not trained yet or that diverged, and for weights that are not kept.
    """
    from smearlab.cli.snippet import loss_of
    from smearlab.export.bundle import Bundle
    from smearlab.training.batches import statistics_of
    from smearlab.training.results import read_weights

    cell, job = found.block.cell, training_job(found.block.cell, found.block.block)
    entry = _entry(found)
    checkpoint = checkpoint or job.recipe.checkpoint
    seeds = job.replicates[found.position]
    weights = read_weights(_weights(found), found.folder / RUN, seeds, checkpoint)
    if not weights:
        raise UserError(f"{_weights(found)}: holds no checkpoint {checkpoint!r} of replicate {found.position}")
    inputs = found.inputs
    training = read_training([inputs["training"], inputs["manifest"]])
    mean, deviation = statistics_of(training.images, training.part == TRAIN)
    trained = {"cell": cell.key, "block": found.block.block, **plain(seeds), "checkpoint": checkpoint}
    bundle = Bundle(
        weights=weights,
        architecture=job.recipe.architecture,
        class_names=[str(name) for name in training.meta["class_names"]],
        shape=training.images.shape[1:],
        mean=mean.tolist(),
        deviation=deviation.tolist(),
        loss=loss_of(found),
        said={"trained": {**trained, "epochs": entry["epochs"]}, "measured": _measured(found, checkpoint, job)},
    )
    return bundle.write(Path(out) if out else EXPORTS / cell.path / f"{found.block.block}-replicate-{found.position}")


def _entry(found: Trained) -> dict[str, Any]:
    """Return what the account of the run says of a replicate; UserError unless it was trained to the end."""
    if not (found.folder / RUN).is_file():
        raise UserError(f"{found.folder}: not trained yet; run {found.block.grid.name} first")
    entry: dict[str, Any] = read_sealed(found.folder / RUN, "replicates")["replicates"][found.position]
    if entry["status"] == "diverged":
        raise UserError(f"{found.folder}: its replicate {found.position} diverged ({entry['reason']})")
    return entry


def _weights(found: Trained) -> Path:
    path, keep = found.folder / WEIGHTS, found.block.grid.config.keep
    if path.is_file():
        return path
    if (found.block.cell.role == "teacher" and keep == "teachers") or keep == "weights":
        raise UserError(f"{path}: is missing; python -m smearlab repair {found.block.grid.name} makes it anew")
    raise UserError(
        f"{path}: not kept (`keep: {keep}`); with `keep: weights` the next run trains it again and keeps it"
    )


def _measured(found: Trained, checkpoint: str, job: TrainingJob) -> dict[str, Any]:
    """Return what is measured of the reported checkpoint; nothing of the other one, or where nothing is yet."""
    if checkpoint != job.recipe.checkpoint or not (found.folder / METRICS).is_file():
        return {}
    record = read_sealed(found.folder / METRICS, "replicates")["replicates"][found.position]
    if record["status"] == "diverged":
        raise UserError(f"{found.folder}: its replicate {found.position} diverged (its outputs are not finite)")
    named = ("test_accuracy", "test_accuracy_noisy", "validation_accuracy_noisy")
    return {name: record["metrics"].get(name) for name in named}
