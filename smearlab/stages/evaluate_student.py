"""The evaluation of one block of students."""

from smearlab.core.jobs import DistillationJob
from smearlab.evaluation.block import measure_block, trained
from smearlab.store.inputs import Files


def run(job: DistillationJob, inputs: Files, outputs: Files) -> None:
    """Measure one block of students beside their teachers and write their metrics and examples."""
    measure_block(job, inputs, outputs, teachers=trained(inputs["teacher_weights"], inputs["teacher_run"]))
