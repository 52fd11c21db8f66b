"""What would go wrong under SLURM, said before anything runs."""

import shutil
from typing import Any

from smearlab.core.errors import UserError


def check_scheduler(executor: str, settings: Any) -> None:
    """Raise UserError where a run cannot submit, or would ask for the wrong resources.

    executor: the name of Snakemake's executor; settings: the executor's own, or None.
    """
    if executor != "slurm":
        return
    if shutil.which("sbatch") is None:
        raise UserError(
            "executor slurm: there is no `sbatch` on this machine, so nothing can be submitted: start it on a login "
            "node of the cluster, or leave --workflow-profile out to run here"
        )
    if settings.array_jobs:
        raise UserError(
            "--slurm-array-jobs: every member of a job array gets the minutes, memory and GPU of its first one: leave "
            "it out; short trainings share a job as it is (docs/slurm.md)"
        )
