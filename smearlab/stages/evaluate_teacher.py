"""The evaluation of one block of teachers."""

from smearlab.core.jobs import TrainingJob
from smearlab.evaluation.block import measure_block
from smearlab.store.inputs import Files


def run(job: TrainingJob, inputs: Files, outputs: Files) -> None:
    """Measure one block of teachers and write their metrics and examples."""
    measure_block(job, inputs, outputs)
