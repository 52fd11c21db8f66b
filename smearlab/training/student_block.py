"""The students of a block, trained in one job, each on a teacher of its own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.jobs import DistillationJob
from smearlab.store.dataset import TRAIN
from smearlab.training.block import Active, Block, Log
from smearlab.training.correction import Corrections
from smearlab.training.results import BlockResult, Finished, read_weights
from smearlab.training.student import Guide, Teacher, distillation_of, train_student
from smearlab.training.trainee import Examples


def train_student_block(
    job: DistillationJob,
    corrections: Corrections,
    training: Examples,
    observed: Sequence[np.ndarray],
    teachers: tuple[Path, Path],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the students of a block, each on the teacher of its own (noise seed, seed).

    teachers: the weights of the teachers' block and the account of its run. The teacher's checkpoint is the one its
    recipe reports. A student whose teacher diverged is `diverged` too. The rest is as for train_teacher_block.
    """
    block = Block(job, corrections, training, observed, [teachers[0]], checkpoint, log, interval)
    distillation = distillation_of(job)

    def start(position: int) -> Active | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        weights = read_weights(*teachers, job.replicates[position], job.teacher_recipe.checkpoint)
        if weights is None:
            return block.not_trained(position, "its teacher diverged")
        teacher = Teacher(job.teacher_recipe.architecture, weights, block.problem, block.precision, job.view)
        taught = _taught_labels(job, training, observed[position])
        trainee = block.trainee(position, observed[position], taught)
        return Active(trainee, train_student(trainee, teacher, distillation), Guide(teacher, distillation))

    return block.train(start)


def _taught_labels(job: DistillationJob, training: Examples, observed: np.ndarray) -> np.ndarray:
    if job.student_labels != "clean":
        return observed
    if (training.labels[training.part == TRAIN] < 0).any():
        raise UserError(f"{job.cell}: student_labels clean, but the clean labels are not known")
    return training.labels
