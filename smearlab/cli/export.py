"""A trained network as files to take along: finds the replicate of a cell and gathers what its bundle holds."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.core.jobs import DistillationJob, TrainingJob, plain
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import METRICS, RUN, STAGES, WEIGHTS, OneBlock
from smearlab.grid.find import all_grids
from smearlab.grid.jobs import training_job
from smearlab.store.dataset import TRAIN, read_training
from smearlab.store.files import read_sealed
from smearlab.store.labels import AUDIT
from smearlab.watch.explain import near_paths

EXPORTS = Path("exports")


@dataclass(frozen=True)
class Trained:
    """One replicate of a cell as a grid names it, with its place in its block."""

    block: OneBlock
    position: int

    @property
    def folder(self) -> Path:
        """Where its block lies."""
        return Path(self.block.cell.folder(self.block.block))


def find_replicate(path: str, replicate: int, configs: Sequence[str] = ()) -> Trained:
    """Return a replicate of the cell (or of the block) at a path below results/, counted from 0 over its blocks.

    UserError for a path that is no cell of a config, and for a replicate that it does not have.
    """
    wanted = _normal(path)
    grids = [grid for _, grid in all_grids(configs) if isinstance(grid, Grid)]
    blocks = {block.cell.folder(block.block): block for grid in grids for block in _blocks_at(wanted, grid)}
    if not blocks:
        raise UserError(_unknown(path, wanted, grids))
    found = [Trained(block, position) for block in blocks.values() for position in range(block.cell.recipe.block_size)]
    if not 0 <= replicate < len(found):
        raise UserError(f"{path}: no replicate {replicate}; it has {len(found)}, 0 to {len(found) - 1}")
    return found[replicate]


def _normal(path: str) -> str:
    """Return a path as cells are called: from results/ on, if it goes through it."""
    below = "/".join(("", *Path(path).parts)).rpartition(f"/{RESULTS}/")[2]
    return below.strip("/")


def _blocks_at(wanted: str, grid: Grid) -> Iterator[OneBlock]:
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            inside = wanted.startswith((f"{cell.key}/{block}/", f"{cell.path}/{block}/"))
            if inside or wanted in (cell.key, cell.path, f"{cell.key}/{block}", f"{cell.path}/{block}"):
                yield OneBlock(grid, cell, block)


def _unknown(path: str, wanted: str, grids: list[Grid]) -> str:
    known = [key for grid in grids for cell in grid.cells.values() for key in (cell.key, cell.path)]
    near = near_paths(wanted, known)
    return f"{path}: no cell of any config" + (f"; near: {', '.join(near)}" if near else "")


def export(found: Trained, checkpoint: str | None = None, out: str | None = None) -> list[Path]:
    """Write the bundle of one replicate and return its files.

    checkpoint: last or selected; default: the one that its recipe reports. out: a folder. UserError for a replicate
    that is not trained yet or that diverged, and for weights that are not kept.
    """
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
    inputs = STAGES["distill_student" if cell.teacher else "train_teacher"].reads(found.block)
    training = read_training([inputs["training"], inputs["manifest"]])
    mean, deviation = statistics_of(training.images[training.part == TRAIN])
    trained = {"cell": cell.key, "block": found.block.block, **plain(seeds), "checkpoint": checkpoint}
    bundle = Bundle(
        weights=weights,
        architecture=job.recipe.architecture,
        class_names=[str(name) for name in training.meta["class_names"]],
        shape=training.images.shape[1:],
        mean=mean.tolist(),
        deviation=deviation.tolist(),
        loss=loss_of(found, job, inputs),
        said={"trained": {**trained, "epochs": entry["epochs"]}, "measured": _measured(found, checkpoint, job)},
    )
    return bundle.write(Path(out) if out else EXPORTS / cell.path / f"{found.block.block}-replicate-{found.position}")


def loss_of(found: Trained, job: TrainingJob, inputs: dict[str, Any]) -> str:
    """Return the code of the loss that a replicate was trained with, with its own T."""
    from smearlab.export.formula import Teaching, formula
    from smearlab.training.correction import corrections
    from smearlab.training.student import distillation_of

    audits = {record["noise_seed"]: record for record in (read_sealed(path, *AUDIT) for path in inputs["audits"])}
    ordered = [audits[replicate.noise_seed] for replicate in job.replicates]
    transition = corrections(job, ordered, inputs.get("estimate")).transition(found.position)
    teaching = Teaching(**asdict(distillation_of(job))) if isinstance(job, DistillationJob) else None
    return formula(job.method, transition, teaching)


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
