"""The evaluation stage: from the files of a job to its metrics and per-example results."""

from collections.abc import Mapping
from typing import Any

from smearlab.data import read_test
from smearlab.evaluate import evaluate_block
from smearlab.files import read_json, write_json, write_npz
from smearlab.places import checkpoint_path
from smearlab.stages import read_inputs


def evaluate(job: Mapping[str, Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Measure one block and write metrics.json and examples.npz.

    The block's checkpoint is removed here: that this job runs means that Snakemake has recorded the training's
    outputs as complete.
    """
    training, observed, _ = read_inputs(job, {**inputs, "manifest": inputs["training_manifest"]})
    test = read_test([inputs["test"], inputs["test_manifest"]])
    teacher = (inputs["teacher_weights"], read_json(inputs["teacher_run"])) if "teacher_run" in inputs else ()
    metrics, examples = evaluate_block(
        job, training, test, observed, inputs["weights"], read_json(inputs["run"]), *teacher
    )
    write_npz(outputs["examples"], examples, compress=True)
    write_json(outputs["metrics"], metrics)
    for leftover in checkpoint_path(job).parent.glob(f"{checkpoint_path(job).name}*"):
        leftover.unlink(missing_ok=True)
