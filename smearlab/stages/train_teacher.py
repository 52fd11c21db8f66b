"""The training of one block of teachers."""

from smearlab.core.digest import code_parts
from smearlab.core.jobs import TrainingJob, training_entries
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import run_lock
from smearlab.store.inputs import Files, read_inputs
from smearlab.training.correction import corrections
from smearlab.training.teacher_block import train_teacher_block


def run(job: TrainingJob, inputs: Files, outputs: Files) -> None:
    """Train one block of teachers and write weights, history and the account of the run."""
    training, observed, audits = read_inputs(job.replicates, inputs)
    matrices = corrections(job, audits, inputs.get("estimate"))
    checkpoint = checkpoint_path(job.cell, job.block)
    with run_lock(checkpoint, print):
        result = train_teacher_block(job, matrices, training, observed, checkpoint=checkpoint, log=print)
        parts = code_parts("train_teacher", training_entries(job.modules, job.recipe))
        result.write(outputs, job.code, parts)
