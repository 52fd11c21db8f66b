"""The teachers of a block, trained in one job."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smearlab.training.block import Block, Job, Log, Trainee
from smearlab.training.replicate import TrainingData
from smearlab.training.results import BlockResult, Finished
from smearlab.training.teacher import train_teacher


def train_teacher_block(
    job: Job,
    training: TrainingData,
    observed: Sequence[np.ndarray],
    *,
    checkpoint: Path,
    log: Log,
    interval: float | None = None,
) -> BlockResult:
    """Train (or finish training) the teachers of a block and return their results.

    job: plain values (cell, replicates, recipe, method, transitions, n_classes, code, …). observed: labels
    (N,) with their noise, one array per replicate. checkpoint: a file outside the job's outputs. interval:
    seconds between checkpoints (default: SMEARLAB_CHECKPOINT_SECONDS, else 60). Raises UserError for
    input that cannot be trained on and Interrupted (exit code 75) after a signal.
    """
    block = Block(job, training, observed, [], checkpoint, log, interval)

    def start(position: int) -> Trainee | Finished:
        if (refused := block.refused(position)) is not None:
            return refused
        run = block.replicate(position, observed[position], observed[position])
        return Trainee(run, train_teacher(run))

    return block.train(start)
