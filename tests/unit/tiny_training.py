"""A training problem of a second's fraction, and the ways to run it."""

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from smearlab.core.jobs import (
    DistillationJob,
    MethodSettings,
    RecipeSettings,
    Replicate,
    TrainingJob,
    typed,
)
from smearlab.training.correction import Corrections
from smearlab.training.results import BlockResult
from smearlab.training.student_block import train_student_block
from smearlab.training.teacher_block import train_teacher_block

N_CLASSES = 3
FILES = {"weights": "weights.safetensors", "history": "history.csv", "run": "run.json"}
SGD = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}
ADAMW = {
    "name": "adamw",
    "learning_rate": 0.01,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "weight_decay": 0.01,
}


def training_data(n: int = 60, n_validation: int = 12, channels: int = 1) -> SimpleNamespace:
    """Images 8×8 whose brightness tells the class, with some pixels at random."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % N_CLASSES
    images = rng.integers(0, 60, (n, 8, 8, channels)) + 70 * labels[:, None, None, None]
    part = (np.arange(n) >= n - n_validation).astype(np.uint8)
    return SimpleNamespace(images=images.astype(np.uint8), labels=labels.astype(np.int64), part=part)


def observed_labels(training: SimpleNamespace, noise_seed: int) -> np.ndarray:
    rng = np.random.default_rng(noise_seed)
    wrong = rng.random(len(training.labels)) < 0.3
    return np.where(wrong, (training.labels + 1) % N_CLASSES, training.labels)


def recipe(**changes: Any) -> RecipeSettings:
    plain = {
        "architecture": {"name": "cnn", "width": 2},
        "epochs": 3,
        "steps": None,
        "batch_size": 16,
        "optimiser": SGD,
        "schedule": {"name": "cosine", "milestones": [], "factor": 0.1, "warmup": 0.0},
        "augmentation": {"crop": 1, "flip": True},
        "precision": "fp32",
        "device": "cpu",
        "threads": 1,
        "block_size": 2,
        "checkpoint": "last",
        "snapshots": 2,
        "loss_scale": 1.0,
        "clip_norm": None,
        "history_examples": 0,
    }
    return typed(RecipeSettings, plain | changes)


def method(name: str = "cross_entropy", **changes: Any) -> MethodSettings:
    return MethodSettings(name, **changes)


def job(role: str = "teacher", count: int = 2, **changes: Any) -> TrainingJob:
    values = {
        "cell": "tiny",
        "block": "paired-0",
        "role": role,
        "replicates": [Replicate(k, k) for k in range(count)],
        "recipe": recipe(),
        "method": method(),
        "n_classes": N_CLASSES,
        "modules": [],
        "code": "0",
        "teacher_recipe": recipe(),
        "temperature": 2.0,
        "beta": 0.5,
        "student_temperature": None,
        "student_labels": "noisy",
        "view": "same",
    }
    form = DistillationJob if role == "student" else TrainingJob
    return form(**{field.name: values[field.name] for field in fields(form)} | changes)


def train(
    job: TrainingJob,
    folder: Path,
    teachers: Path | None = None,
    corrections: Corrections = Corrections(),  # noqa: B008 (frozen)
    **settings: Any,
) -> BlockResult:
    """Train a job with its checkpoint in `folder`, write its results there too, and return them.

    teachers: the folder of the teachers' results.
    """
    training = settings.pop("training", None) or training_data()
    observed = [observed_labels(training, replicate.noise_seed) for replicate in job.replicates]
    settings = {"checkpoint": folder / "checkpoint", "log": lambda line: None} | settings
    if isinstance(job, DistillationJob):
        taught_by = teachers / FILES["weights"], teachers / FILES["run"]
        result = train_student_block(job, corrections, training, observed, taught_by, **settings)
    else:
        result = train_teacher_block(job, corrections, training, observed, **settings)
    result.write({name: str(folder / file) for name, file in FILES.items()}, job.code, {})
    return result


def outcome(folder: Path) -> list[bytes]:
    """Return the bytes of what a training leaves; times stand apart."""
    return [(folder / file).read_bytes() for file in FILES.values()]
