"""The teachers of a block, trained in one job."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smearlab.core.jobs import TrainingJob
from smearlab.training.block import Active, Block, Log
from smearlab.training.correction import Corrections
from smearlab.training.results import BlockResult, Finished
from smearlab.training.teacher import train_teacher
from smearlab.training.trainee import Examples


def train_teacher_block(
    job: TrainingJob,
    corrections: Corrections,
    training: Examples,
    observed: Sequence[np.ndarray],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the teachers of a block and return their results.

    corrections: the T of each replicate. observed: labels (N,) with their noise, one array per replicate.
    checkpoint: a file outside the job's outputs. interval: seconds between checkpoints (default:
    SMEARLAB_CHECKPOINT_SECONDS, else 60). Raises UserError for input that cannot be trained on and Interrupted
    (exit code 75) after a signal.
    """
    block = Block(job, corrections, training, observed, [], checkpoint, log, interval)

    def start(position: int) -> Active | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        trainee = block.trainee(position, observed[position], observed[position])
        return Active(trainee, train_teacher(trainee))

    return block.train(start)
