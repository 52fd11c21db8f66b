"""Trainings on a real cluster, killed in every way: the result is that of an unbroken run, and nothing is repeated."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from folders import TRAIN, Folder, kill_controller, slurm, started, training_process, until, went_on

pytestmark = pytest.mark.slurm
Slow = Callable[[float], Folder]


def test_scancel(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, job = started(folder)
    slurm("scancel", job)
    folder.ends_well(process)
    went_on(folder, slow_reference)


def test_payload_killed(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, _ = started(folder)
    os.kill(training_process(folder), signal.SIGKILL)
    folder.ends_well(process)
    went_on(folder, slow_reference)


def test_warning_before_the_time_limit_reaches_the_training_alone(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, job = started(folder, "--slurm-keep-successful-logs")
    slurm("scancel", "--signal=USR1", job)
    folder.ends_well(process)
    went_on(folder, slow_reference)
    first = next(folder.path.glob(f".snakemake/slurm_logs/**/{job}.log")).read_text()
    assert "exit status 75" in first or "exit code 75" in first  # a nested Snakemake lived to see it


def test_time_limit(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, job = started(folder, "--set-resources", "train_teacher:runtime=attempt", "train_teacher:slurm_extra=''")
    with folder.held():  # however fast the machine is, the minute ends first
        until(lambda: job not in slurm("squeue", "-h", "-o", "%A").split(), "the time is over")
    assert "TIMEOUT" in slurm("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")
    folder.ends_well(process)
    went_on(folder, slow_reference)
    assert "2" in slurm("squeue", "-h", "-t", "completed", "-o", "%l")


def test_node_down_and_up(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, job = started(folder)
    slurm("scontrol", "update", "NodeName=c1", "State=down", "Reason=test")
    until(lambda: "PENDING" in slurm("squeue", "-h", "-j", job, "-o", "%T"), "the job is back in the queue")
    slurm("scontrol", "update", "NodeName=c1", "State=resume")
    folder.ends_well(process)
    went_on(folder, slow_reference)
    assert folder.output().count("has been submitted") == 1


def test_preemption(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, job = started(folder)
    slurm("sbatch", "-p", "urgent", "-w", "c1", "-c", "2", "-o", "/dev/null", "--wrap", "sleep 3")
    until(lambda: "PENDING" in slurm("squeue", "-h", "-j", job, "-o", "%T"), "the job is back in the queue")
    folder.ends_well(process)
    went_on(folder, slow_reference)
    assert folder.output().count("has been submitted") == 1


def test_controller_killed_and_started_again_while_its_job_runs(slow: Slow, slow_reference: Folder) -> None:
    folder = slow(0.1)
    process, first = started(folder)
    with folder.held():
        kill_controller(process)
        folder.run("--unlock")  # by hand, because here the nodes are this machine and the job counts as alive
        process = folder.start(*TRAIN)  # the same command again: the block is submitted again
        until(lambda: f"SLURM job {first}; waiting for it" in folder.log(), "the second job waits for the first")
    folder.ends_well(process)
    assert folder.calls() == slow_reference.calls()  # and then had nothing left to train


def noticed(job: str) -> bool:
    """Let the nodes say which jobs they have, which they otherwise do every few minutes."""
    slurm("scontrol", "reconfigure")
    time.sleep(3)
    return "PENDING" in slurm("squeue", "-h", "-j", job, "-o", "%T")


def test_orphan_of_a_job_that_slurm_starts_again(slow: Slow, slow_reference: Folder) -> None:
    """The job's supervisors die, SLURM puts the job back into the queue, and the first training lives on."""
    folder = slow(0.1)
    process, job = started(folder)
    with folder.held():
        for supervisor in slurm("pgrep", "-f", rf"slurmstepd: \[{job}\.").split():
            os.kill(int(supervisor), signal.SIGKILL)
        until(lambda: noticed(job), "the job is back in the queue")
        until(lambda: "waiting for it" in folder.log(), "the second process waits for the first")
    folder.ends_well(process)
    assert folder.calls() == slow_reference.calls()
