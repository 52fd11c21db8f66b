"""A training problem of a second's fraction, and the ways to run it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from smearlab.training.results import BlockResult
from smearlab.training.student_block import train_student_block
from smearlab.training.teacher_block import train_teacher_block

N_CLASSES = 3


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


def recipe(**changes: Any) -> dict[str, Any]:
    return {
        "architecture": {"name": "cnn", "width": 2},
        "epochs": 3,
        "steps": None,
        "batch_size": 16,
        "optimiser": {
            "name": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "nesterov": True,
            "weight_decay": 1e-3,
        },
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
    } | changes


def method(name: str = "cross_entropy", **changes: Any) -> dict[str, Any]:
    return {"name": name, "alpha": None, "transition": None, "options": {}, "warm_up": 0.0} | changes


def job(role: str = "teacher", count: int = 2, **changes: Any) -> dict[str, Any]:
    plain = {
        "cell": "tiny",
        "block": "paired-0",
        "role": role,
        "replicates": [{"noise_seed": k, "seed": k} for k in range(count)],
        "recipe": recipe(),
        "method": method(),
        "transitions": None,
        "n_classes": N_CLASSES,
        "code": "0",
    }
    if role == "student":
        plain |= {
            "teacher_recipe": recipe(),
            "temperature": 2.0,
            "beta": 0.5,
            "student_temperature": None,
            "student_labels": "noisy",
            "view": "same",
        }
    return plain | changes


def train(job: dict[str, Any], folder: Path, teachers: Path | None = None, **settings: Any) -> BlockResult:
    """Train a job with its checkpoint in `folder`, write its results there too, and return them."""
    training = settings.pop("training", None) or training_data()
    observed = [observed_labels(training, r["noise_seed"]) for r in job["replicates"]]
    settings = {"checkpoint": folder / "checkpoint", "log": lambda line: None} | settings
    if job["role"] == "teacher":
        result = train_teacher_block(job, training, observed, **settings)
    else:
        result = train_student_block(job, training, observed, teachers, **settings)
    result.write(folder)
    return result


def outcome(folder: Path) -> tuple[bytes, list[list[str]]]:
    """Return the bytes of the weights and the history without its last column, which is a speed."""
    lines = (folder / "history.csv").read_text().splitlines()
    return (folder / "weights.safetensors").read_bytes(), [line.split(",")[:-1] for line in lines]
