"""Evaluation of the networks of a block: the one place that reads the test set, once, when training is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smearlab.core.jobs import DistillationJob, TrainingJob
from smearlab.core.predictions import Part
from smearlab.evaluation.measures import Measured, measure
from smearlab.evaluation.networks import Networks
from smearlab.evaluation.scene import PARTS, Scene, make_scene
from smearlab.host.places import checkpoint_path
from smearlab.metrics._shared import margin
from smearlab.store.dataset import HeldOutData, TrainingData, read_test
from smearlab.store.files import check_files, read_sealed, write_npz, write_sealed
from smearlab.store.inputs import Files, read_inputs
from smearlab.store.labels import true_transition
from smearlab.training.device import configure


@dataclass(frozen=True)
class Trained:
    """The networks of a block on disk: the file of their weights, and the entries of the account of the run."""

    weights: Path
    replicates: list[dict[str, Any]]


def measure_block(job: TrainingJob, inputs: Files, outputs: Files, teachers: Trained | None = None) -> None:
    """Measure one block from its files and write its metrics and examples.

    The block's checkpoint is removed here: that this job runs means that Snakemake has recorded the training's
    outputs as complete.
    """
    training, observed, audits = read_inputs(job.replicates, {**inputs, "manifest": inputs["training_manifest"]})
    test = read_test([inputs["test"], inputs["test_manifest"]])
    networks = trained(inputs["weights"], inputs["run"])
    transitions = [true_transition(audit) for audit in audits]
    metrics, examples = evaluate_block(job, training, test, observed, transitions, networks, teachers)
    write_npz(outputs["examples"], examples, compress=True)
    write_sealed(outputs["metrics"], metrics)
    checkpoint = checkpoint_path(job.cell, job.block)
    for leftover in checkpoint.parent.glob(f"{checkpoint.name}*"):
        leftover.unlink(missing_ok=True)


def trained(weights: str, run: str) -> Trained:
    """Return a block's networks; UserError unless weights and account are as they were written."""
    said = read_sealed(run, "replicates", "weights_sha256")
    check_files(Path(weights).parent, {Path(weights).name: said["weights_sha256"]}, run)
    return Trained(Path(weights), said["replicates"])


def evaluate_block(
    job: TrainingJob,
    training: TrainingData,
    test: HeldOutData,
    observed: Sequence[np.ndarray],
    transitions: Sequence[np.ndarray | None],
    networks: Trained,
    teachers: Trained | None = None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Measure all networks of a block; return what the files of its metrics and examples hold.

    observed: for each replicate the observed labels, int64 (N,), aligned with `training`; for students those that
    their teachers were trained on. transitions: their true T (L, L), None where it is unknown. networks, teachers:
    their weights and what the run says of them, of a student's teachers in the same order.
    A network that diverged, or whose outputs are not finite, has no metrics and is reported as diverged.
    """
    device = configure(job.recipe, lambda line: None)
    torch.backends.cudnn.allow_tf32 = False  # metrics are float32 whatever the training used
    scene = make_scene(training, test, job.n_classes, device)
    own = Networks(networks.weights, networks.replicates, job.recipe, scene)
    taught_by = None
    if teachers is not None and isinstance(job, DistillationJob):
        taught_by = Networks(teachers.weights, teachers.replicates, job.teacher_recipe, scene)
    labelled = zip(observed, transitions, strict=True)
    measured = [measure(own, taught_by, i, scene, *labels) for i, labels in enumerate(labelled)]
    replicates = [_record(entry, found) for entry, found in zip(own.replicates, measured, strict=True)]
    _name_all(replicates)
    return {"code": job.code, "replicates": replicates}, _examples(scene, own.replicates, measured)


def _record(entry: Mapping[str, Any], found: Measured | None) -> dict[str, Any]:
    """Return one replicate of the file of metrics."""
    record = {key: entry[key] for key in ("noise_seed", "seed", "status")}
    if found is None:
        return {**record, "status": "diverged", "metrics": {}, "curves": {}}
    return {**record, "metrics": found.metrics, "curves": found.curves}


def _name_all(replicates: list[dict[str, Any]]) -> None:
    """Give the diverged replicates of a block the metric names of the others, all null."""
    names = {name: None for record in replicates for name in record["metrics"]}
    for record in replicates:
        record["metrics"] = {**names, **record["metrics"]}


def _examples(scene: Scene, entries: list[dict[str, Any]], measured: list[Measured | None]) -> dict[str, np.ndarray]:
    """Return the arrays of examples: by part the predicted class (R, N) and the margin of the stated label (R, N).

    The stated label is the observed one in train and validation, the true one in test. Margins are float16,
    NaN where the label is unknown; the class is the smallest unsigned integer type that holds L, and is L in
    a network without outputs.
    """
    arrays = {key: np.array([entry[key] for entry in entries], np.int64) for key in ("noise_seed", "seed")}
    for part in PARTS:
        pairs = [_example_rows(scene, part, found) for found in measured]
        arrays[f"{part}_predicted"] = np.stack([predicted for predicted, _ in pairs])
        arrays[f"{part}_margin"] = np.stack([margins for _, margins in pairs])
    return arrays


def _example_rows(scene: Scene, part: str, found: Measured | None) -> tuple[np.ndarray, np.ndarray]:
    n, kind = len(scene.pixels[part]), np.min_scalar_type(scene.n_classes)
    if found is None:
        return np.full(n, scene.n_classes, kind), np.full(n, np.nan, np.float16)
    outputs: Part = getattr(found.predictions, part)
    margins = margin(outputs.logits, outputs.labels if part == "test" else outputs.observed)
    largest = np.finfo(np.float16).max
    return outputs.predicted.astype(kind), np.clip(margins, -largest, largest).astype(np.float16)
