"""One job as Snakemake hands it over: its log, its GPU, its stage; in a warm process where there is one."""

from __future__ import annotations

import importlib
import sys
import typing
from typing import TYPE_CHECKING, Any

from smearlab.core.jobs import typed
from smearlab.host import warm
from smearlab.host.gpus import describe, own_gpu
from smearlab.host.joblog import job_log
from smearlab.host.times import not_older

if TYPE_CHECKING:
    from snakemake.script import Snakemake


def run_stage(snakemake: Snakemake) -> None:
    """Run the stage of a rule on its job and files, in a fork of this run's warm process if that has been started."""
    call = {
        "rule": snakemake.rule,
        "job": snakemake.params.job,
        "inputs": {name: _paths(value) for name, value in snakemake.input.items()},
        "outputs": {name: _paths(value) for name, value in snakemake.output.items()},
        "log": snakemake.log[0],
        "config": snakemake.config,
    }
    if (code := warm.hand_over(call)) is not None:
        sys.exit(code)
    run(call)


def _paths(value: Any) -> str | list[str]:
    return value if isinstance(value, str) else [str(path) for path in value]


def run(call: dict[str, Any]) -> None:
    """Run a job in this process; the config goes with its files for what decides no result."""
    if call["rule"] == "make_dataset":  # the first job of a grid says on the terminal which torch and GPUs are there
        print(f"smearlab: {describe()}", file=sys.stderr)
    with job_log(call["log"]), own_gpu(_device(call["job"]), print):
        # Only now: a stage may load torch, which must see no other GPU.
        stage = importlib.import_module(f"smearlab.stages.{call['rule']}").run
        job = typed(typing.get_type_hints(stage)["job"], call["job"])
        stage(job, {**call["inputs"], "config": call["config"]}, call["outputs"])
    not_older(_each(call["outputs"]), _each(call["inputs"]))


def _each(files: dict[str, str | list[str]]) -> list[str]:
    return [path for value in files.values() for path in ([value] if isinstance(value, str) else value)]


def _device(job: dict[str, Any]) -> str:
    """Return the device that a job's recipe asks for; the CPU for a job without one."""
    return str(job.get("recipe", {}).get("device", "cpu"))
