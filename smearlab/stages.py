"""The training stages: from the files of a job to the files of its block."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from smearlab import registry
from smearlab.data import TrainingData, read_training
from smearlab.errors import UserError
from smearlab.observed import matched_transition, read_labels, true_transition
from smearlab.training.block import train_student_block, train_teacher_block
from smearlab.transition import check_invertible, from_alpha, perturb

Files = Mapping[str, Any]
CHECKPOINTS = Path(".smearlab") / "checkpoints"


def train_teachers(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of teachers and write weights.safetensors, history.csv and run.json."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, "transitions": transitions(job, audits)}
    result = train_teacher_block(resolved, training, observed, checkpoint=checkpoint_path(job), log=print)
    result.write(Path(outputs["run"]).parent)


def distill_students(job: Mapping[str, Any], inputs: Files, outputs: Files) -> None:
    """Train one block of students and write the same files."""
    training, observed, audits = read_inputs(job, inputs)
    resolved = {**job, "transitions": transitions(job, audits)}
    weights = Path(inputs["teacher_weights"])
    result = train_student_block(resolved, training, observed, weights, checkpoint=checkpoint_path(job), log=print)
    result.write(Path(outputs["run"]).parent)


def checkpoint_path(job: Mapping[str, Any]) -> Path:
    """Return where a block's checkpoint lies: outside the declared outputs, which Snakemake deletes before a retry."""
    return CHECKPOINTS / job["cell"] / f"{job['block']}.checkpoint"


def read_inputs(job: Mapping[str, Any], inputs: Files) -> tuple[TrainingData, list[np.ndarray], list[dict[str, Any]]]:
    """Return the data set, and for each replicate its observed labels and their audit; all hashes are checked."""
    training = read_training([inputs["training"], inputs["manifest"]])
    by_seed = {}
    for labels, audit in zip(_paths(inputs["labels"]), _paths(inputs["audits"]), strict=True):
        observed, record = read_labels(labels, audit, inputs["manifest"])
        by_seed[record["noise_seed"]] = (observed, record)
    pairs = [by_seed[replicate["noise_seed"]] for replicate in job["replicates"]]
    return training, [observed for observed, _ in pairs], [record for _, record in pairs]


def _paths(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def transitions(job: Mapping[str, Any], audits: list[dict[str, Any]]) -> list[list[list[float]]] | None:
    """Return the T of each replicate, as plain lists, as the method asks; None for a method without one."""
    spec = job["method"]["transition"]
    if spec is None:
        return None
    return [transition_of(spec, job, audit).tolist() for audit in audits]


def transition_of(spec: str, job: Mapping[str, Any], audit: Mapping[str, Any]) -> np.ndarray:
    """Return one T (L, L); UserError if it is not known or not invertible where that is needed."""
    where = f"{job['cell']}: transition {spec}, noise seed {audit['noise_seed']}"
    if spec == "alpha":
        return from_alpha(job["n_classes"], job["method"]["alpha"])
    found = matched_transition(audit) if spec == "matched" else true_transition(audit)
    if found is None:
        raise UserError(f"{where}: the clean labels are unknown, so no T can be read off; use estimated(NAME)")
    if spec.startswith("perturbed("):
        found = perturb(found, float(spec[len("perturbed(") : -1]), audit["noise_seed"])
    needs = registry.describe("methods", job["method"]["name"]).constants.get("NEEDS")
    return check_invertible(found, where) if needs == "inverse" else found
