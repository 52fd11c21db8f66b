"""The training stages: from the files of a job to the files of its block."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.correction import corrections
from smearlab.data import TrainingData, read_training
from smearlab.digest import code_parts
from smearlab.observed import read_labels
from smearlab.places import checkpoint_path, paths_of
from smearlab.runlock import run_lock
from smearlab.training.block import train_student_block, train_teacher_block

Files = Mapping[str, Any]


def train_teachers(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of teachers and write weights.safetensors, history.csv and run.json."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, **corrections(job, audits, inputs.get("estimate"))}
    resolved["code_parts"] = code_parts("train_teacher.py", job["modules"])
    with run_lock(checkpoint_path(job), print):
        result = train_teacher_block(resolved, training, observed, checkpoint=checkpoint_path(job), log=print)
        result.write(Path(outputs["run"]).parent)


def distill_students(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of students and write the same files."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, **corrections(job, audits, inputs.get("estimate"))}
    resolved["code_parts"] = code_parts("distill_student.py", job["modules"])
    weights = Path(inputs["teacher_weights"])
    with run_lock(checkpoint_path(job), print):
        result = train_student_block(resolved, training, observed, weights, checkpoint=checkpoint_path(job), log=print)
        result.write(Path(outputs["run"]).parent)


def read_inputs(job: Mapping[str, Any], inputs: Files) -> tuple[TrainingData, list[np.ndarray], list[dict[str, Any]]]:
    """Return the data set, and for each replicate its observed labels and their audit; all hashes are checked."""
    training = read_training([inputs["training"], inputs["manifest"]])
    by_seed = {}
    for labels, audit in zip(paths_of(inputs["labels"]), paths_of(inputs["audits"]), strict=True):
        observed, record = read_labels(labels, audit, inputs["manifest"])
        by_seed[record["noise_seed"]] = (observed, record)
    pairs = [by_seed[replicate["noise_seed"]] for replicate in job["replicates"]]
    return training, [observed for observed, _ in pairs], [record for _, record in pairs]
