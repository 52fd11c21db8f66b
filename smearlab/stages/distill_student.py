"""The training of one block of students."""

from pathlib import Path

from smearlab.core.digest import code_parts
from smearlab.core.jobs import DistillationJob, training_entries
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import run_lock
from smearlab.store.inputs import Files, read_inputs
from smearlab.training.correction import corrections
from smearlab.training.student_block import train_student_block


def run(job: DistillationJob, inputs: Files, outputs: Files) -> None:
    """Train one block of students, each on its teacher, and write weights, history and the account of the run."""
    training, observed, audits = read_inputs(job.replicates, inputs)
    matrices = corrections(job, audits, inputs.get("estimate"))
    checkpoint = checkpoint_path(job.cell, job.block)
    teachers = Path(inputs["teacher_weights"]), Path(inputs["teacher_run"])
    with run_lock(checkpoint, print):
        result = train_student_block(job, matrices, training, observed, teachers, checkpoint=checkpoint, log=print)
        parts = code_parts("distill_student", training_entries(job.modules, job.recipe))
        result.write(outputs, job.code, parts)
