"""The students of a block, trained in one job, each on a teacher of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.training.block import Block, Job, Log, Trainee
from smearlab.training.replicate import TRAIN, TrainingData
from smearlab.training.results import BlockResult, Finished, read_weights
from smearlab.training.student import Distillation, Teacher, train_student


def train_student_block(
    job: Job,
    training: TrainingData,
    observed: Sequence[np.ndarray],
    teacher_weights: Path | Sequence[Path],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the students of a block, each on the teacher of its own (noise seed, seed).

    teacher_weights: weights.safetensors of the teacher's block, with run.json beside it, or several where the
    teacher's blocks are smaller than the student's. The teacher's checkpoint is the one its recipe reports. A
    student whose teacher diverged is `diverged` too. The rest is as for train_teacher_block.
    """
    paths = [Path(teacher_weights)] if isinstance(teacher_weights, str | Path) else list(teacher_weights)
    block = Block(job, training, observed, paths, checkpoint, log, interval)
    distillation = _distillation(job)

    def start(position: int) -> Trainee | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        weights = _teacher_of(paths, job["replicates"][position], job["teacher_recipe"]["checkpoint"])
        if weights is None:
            return block.not_trained(position, "its teacher diverged")
        teacher = Teacher(job["teacher_recipe"]["architecture"], weights, block.problem, block.precision, job["view"])
        taught = _taught_labels(job, training, observed[position])
        run = block.replicate(position, observed[position], taught)
        return Trainee(run, train_student(run, teacher, distillation))

    return block.train(start)


def _distillation(job: Job) -> Distillation:
    if job["student_labels"] == "none" and job["beta"] != 1:
        raise UserError(f"{job['cell']}: a student without labels needs beta 1, not {job['beta']}")
    own = job.get("student_temperature")
    temperature = job["temperature"]
    return Distillation(job["beta"], temperature, own if own is not None else temperature)


def _taught_labels(job: Job, training: TrainingData, observed: np.ndarray) -> np.ndarray:
    if job["student_labels"] != "clean":
        return observed
    if (training.labels[training.part == TRAIN] < 0).any():
        raise UserError(f"{job['cell']}: student_labels clean, but the clean labels are not known")
    return training.labels


def _teacher_of(paths: Sequence[Path], seeds: dict[str, int], checkpoint: str) -> Any:
    for path in paths[:-1]:
        try:
            return read_weights(path, **seeds, checkpoint=checkpoint)
        except UserError:
            continue
    return read_weights(paths[-1], **seeds, checkpoint=checkpoint)
