"""The students' stage: from the files of a job to the files of its block."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.core.digest import code_parts
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import run_lock
from smearlab.store.inputs import Files, read_inputs
from smearlab.training.correction import corrections
from smearlab.training.student_block import train_student_block


def distill_students(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of students and write the same files."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, **corrections(job, audits, inputs.get("estimate"))}
    resolved["code_parts"] = code_parts("distill_student.py", job["modules"])
    weights = Path(inputs["teacher_weights"])
    with run_lock(checkpoint_path(job), print):
        result = train_student_block(resolved, training, observed, weights, checkpoint=checkpoint_path(job), log=print)
        result.write(Path(outputs["run"]).parent)
