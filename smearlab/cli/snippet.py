"""A loss for a training loop of one's own: that of a cell, with the T of a replicate, or those that a grid chose."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from smearlab.cli.replicate import Trained, find_replicate
from smearlab.core.errors import UserError
from smearlab.core.jobs import DistillationJob
from smearlab.grid.cells import RESULTS
from smearlab.grid.jobs import training_job
from smearlab.store.files import read_sealed
from smearlab.store.labels import AUDIT

FUTURE = "from __future__ import annotations\n\n"  # stands once in a file, first


def snippets_of_grid(name: str) -> str:
    """Return the methods that the advice of a grid chose, as code, one after the other; UserError if it has none."""
    from smearlab.report.sections.take_home import take_home
    from smearlab.store.tables import read_tables

    found = take_home(read_tables(Path(RESULTS, name)))
    if not found:
        raise UserError(f"{name}: no method was chosen that can be written as code; name a cell instead")
    texts = [f"# {one.title}: {'; '.join(one.places)}\n{one.code.replace(FUTURE, '')}" for one in found]
    return FUTURE * any(FUTURE in one.code for one in found) + "\n\n".join(texts)


def snippet_of_cell(path: str, replicate: int, configs: Sequence[str] = ()) -> str:
    """Return the loss of the cell at a path, as code, with the T of one replicate."""
    return loss_of(find_replicate(path, replicate, configs))


def loss_of(found: Trained) -> str:
    """Return the code of the loss that a replicate was trained with, with its own T."""
    from smearlab.export.formula import Teaching, formula
    from smearlab.training.correction import corrections
    from smearlab.training.student import distillation_of

    job, inputs = training_job(found.block.cell, found.block.block), found.inputs
    audits = {record["noise_seed"]: record for record in (read_sealed(path, *AUDIT) for path in inputs["audits"])}
    ordered = [audits[replicate.noise_seed] for replicate in job.replicates]
    given = corrections(job, ordered, inputs.get("estimate"))
    if (refusal := given.refusal(found.position)) is not None:
        raise UserError(f"{found.folder}: its replicate {found.position} has no T: {refusal}")
    teaching = Teaching(**asdict(distillation_of(job))) if isinstance(job, DistillationJob) else None
    return formula(job.method, given.transition(found.position), teaching)
