"""One job as Snakemake hands it over: its log, its GPU, its stage."""

from __future__ import annotations

import importlib
import sys
import typing
from typing import TYPE_CHECKING, Any

from smearlab.core.jobs import typed
from smearlab.host.gpus import describe, own_gpu
from smearlab.host.joblog import job_log

if TYPE_CHECKING:
    from snakemake.script import Snakemake


def run_stage(snakemake: Snakemake) -> None:
    """Run the stage of a rule on its job and files; the config goes with them for what decides no result."""
    if snakemake.rule == "make_dataset":  # the first job of a grid says on the terminal which torch and GPUs are there
        print(f"smearlab: {describe()}", file=sys.stderr)
    job = snakemake.params.job
    with job_log(snakemake.log[0]), own_gpu(_device(job), print):
        # Only now: a stage may load torch, which must see no other GPU.
        run = importlib.import_module(f"smearlab.stages.{snakemake.rule}").run
        inputs = {**dict(snakemake.input.items()), "config": snakemake.config}
        run(typed(typing.get_type_hints(run)["job"], job), inputs, dict(snakemake.output.items()))


def _device(job: dict[str, Any]) -> str:
    """Return the device that a job's recipe asks for; the CPU for a job without one."""
    return str(job.get("recipe", {}).get("device", "cpu"))
