"""The evaluation stage: from the files of a job to its metrics and per-example results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.host.places import checkpoint_path
from smearlab.stages.evaluate import evaluate_block
from smearlab.store.dataset import read_test
from smearlab.store.files import check_files, read_sealed, write_npz, write_sealed
from smearlab.store.inputs import read_inputs
from smearlab.store.labels import true_transition


def evaluate(job: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Measure one block and write metrics.json and examples.npz.

    The block's checkpoint is removed here: that this job runs means that Snakemake has recorded the training's
    outputs as complete.
    """
    training, observed, audits = read_inputs(job, {**inputs, "manifest": inputs["training_manifest"]})
    test = read_test([inputs["test"], inputs["test_manifest"]])
    networks = _whole(inputs["weights"], inputs["run"])
    teachers = _whole(inputs["teacher_weights"], inputs["teacher_run"]) if "teacher_run" in inputs else ()
    transitions = [true_transition(audit) for audit in audits]
    metrics, examples = evaluate_block(job, training, test, observed, transitions, *networks, *teachers)
    write_npz(outputs["examples"], examples, compress=True)
    write_sealed(outputs["metrics"], metrics)
    for leftover in checkpoint_path(job).parent.glob(f"{checkpoint_path(job).name}*"):
        leftover.unlink(missing_ok=True)


def _whole(weights: str, run: str) -> tuple[str, dict[str, Any]]:
    """Return the path of a block's weights and what run.json says; UserError unless both are as they were written."""
    said = read_sealed(run, "replicates", "weights_sha256")
    check_files(Path(weights).parent, {Path(weights).name: said["weights_sha256"]}, run)
    return weights, said
