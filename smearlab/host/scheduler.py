"""SLURM: what would go wrong there, said before anything runs, and how a job runs the blocks that it was given."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from smearlab.core.errors import UserError

if TYPE_CHECKING:
    from snakemake.workflow import Workflow

PACK = "pack"  # the group of all that one job of the scheduler was given


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


def take_turns(workflow: Workflow) -> None:
    """Have the blocks of one SLURM job run in turn, and go on after one that fails.

    Its Snakemakes know nothing of the profile. To be called while jobs are made out: before, there are no settings.
    """
    workflow.register_resource("slot", 1)
    workflow.execution_settings.keep_going = True


def pack_of(workflow: Workflow) -> str | None:
    """Return the group of all blocks that a SLURM job was given; None for a single one.

    The executor would start a job step, a Snakemake in it and a Python in that for each of them. A group is one step
    and one Snakemake, whose first block starts a warm process for all.
    """
    members = len(workflow.dag_settings.target_jobs)
    os.environ.setdefault("SMEARLAB_WARM", "first" if members > 1 else "0")
    workflow.group_settings.group_components = {PACK: members}
    return PACK if members > 1 else None
