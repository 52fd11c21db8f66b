"""The teachers' stage: from the files of a job to the files of its block."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.core.digest import code_parts
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import run_lock
from smearlab.store.inputs import Files, read_inputs
from smearlab.training.correction import corrections
from smearlab.training.teacher_block import train_teacher_block


def train_teachers(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of teachers and write weights.safetensors, history.csv and run.json."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, **corrections(job, audits, inputs.get("estimate"))}
    resolved["code_parts"] = code_parts("train_teacher.py", job["modules"])
    with run_lock(checkpoint_path(job), print):
        result = train_teacher_block(resolved, training, observed, checkpoint=checkpoint_path(job), log=print)
        result.write(Path(outputs["run"]).parent)
