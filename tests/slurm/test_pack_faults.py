"""Packed jobs killed in every way: what has ended is kept, the rest goes on, and the files are an unbroken run's."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from folders import (
    CLUSTER,
    STEPS_AT_RISK,
    TRAIN,
    Folder,
    kill_controller,
    outcome,
    slurm,
    started,
    training_process,
    until,
    went_on,
)

pytestmark = pytest.mark.slurm
KILLED = ("training", "guard", "client", "snakemake")


@contextmanager
def second_of_four(
    pack: Folder, reference: Folder, *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", str, dict[str, int]]]:
    """Within this context the second training of a packed job stands still in its middle.

    Gives Snakemake, the SLURM job, and what the first training has made.
    """
    steps = reference.calls() // 4 + 12
    with pack.held(steps - 1):
        process, job = started(pack, *arguments, steps=steps, trainings=2)
        yield process, job, pack.trained()


def end_of_its_own(pack: Folder, training: psutil.Process) -> None:
    """Let a training that stands still go on step by step until a signal on its way to it has ended it."""
    while training.is_running():
        pack.hold(pack.calls())
        with suppress(psutil.TimeoutExpired):
            training.wait(2)


def sent_again(folder: Folder) -> list[int]:
    """How many members each packed job had that was sent again."""
    return [line.count("paired-") for line in re.findall(r"packed job, sent again: (.*)", folder.output())]


def left_alone(pack: Folder, reference: Folder, first: dict[str, int]) -> None:
    """What had ended was not made again, and of what had begun no more than lies between two checkpoints."""
    assert len(first) == 1 and first.items() <= pack.trained().items()
    assert reference.calls() <= pack.calls() <= reference.calls() + STEPS_AT_RISK


def went_on_after(pack: Folder, reference: Folder, first: dict[str, int]) -> None:
    """What had ended was left alone, and what had begun went on from its checkpoint."""
    left_alone(pack, reference, first)
    went_on(pack, reference)


def processes_of(training: int, pack: Folder) -> dict[str, psutil.Process]:
    """The processes that a training of a packed job hangs on."""
    guard = psutil.Process(training).parent()
    (client,) = pack.clients()
    assert guard is not None
    above = [process for process in client.parents() if "snakemake" in process.cmdline()[:4]]
    return {"training": psutil.Process(training), "guard": guard, "client": client, "snakemake": above[0]}


@pytest.mark.parametrize("who", KILLED)
def test_a_part_of_a_pack_is_killed(pack: Folder, pack_reference: Folder, who: str) -> None:
    """As the system does that has run out of memory, and whomever of them it takes."""
    with second_of_four(pack, pack_reference) as (process, _, first):
        training = psutil.Process(training_process(pack))
        processes_of(training.pid, pack)[who].kill()
        if who != "snakemake":  # which its jobs outlive, to be waited for
            training.wait()
    pack.ends_well(process)
    if who == "snakemake":  # the second training may have lived on, and may have been waited for
        left_alone(pack, pack_reference, first)
        assert sent_again(pack) == [3]
    else:
        went_on_after(pack, pack_reference, first)
        assert sent_again(pack) == [1]


def test_scancel(pack: Folder, pack_reference: Folder) -> None:
    with second_of_four(pack, pack_reference) as (process, job, first):
        training = psutil.Process(training_process(pack))
        slurm("scancel", job)
        end_of_its_own(pack, training)
    pack.ends_well(process)
    went_on_after(pack, pack_reference, first)
    assert pack.output().count("has been submitted") == 2


def test_time_limit(pack: Folder, pack_reference: Folder) -> None:
    minutes = ("--set-resources", "train_teacher:runtime=attempt", "train_teacher:slurm_extra=''")
    with second_of_four(pack, pack_reference, *minutes) as (process, job, first):
        slurm("scontrol", "update", f"JobId={job}", "TimeLimit=1")
        until(lambda: job not in slurm("squeue", "-h", "-o", "%A").split(), "the time is over")
    assert "TIMEOUT" in slurm("squeue", "-h", "-t", "all", "-j", job, "-o", "%T")
    pack.ends_well(process)
    went_on_after(pack, pack_reference, first)
    assert sent_again(pack) == [3]
    assert "6:00" in slurm("squeue", "-h", "-t", "completed", "-o", "%l")  # three times the two of a second attempt


def test_the_warning_before_the_time_limit_ends_one_training_alone(pack: Folder, pack_reference: Folder) -> None:
    with second_of_four(pack, pack_reference) as (process, job, first):
        training = psutil.Process(training_process(pack))
        slurm("scancel", "--signal=USR1", job)
        end_of_its_own(pack, training)
    pack.ends_well(process)
    went_on_after(pack, pack_reference, first)
    assert sent_again(pack) == [1]
    (log,) = pack.path.glob(f".snakemake/slurm_logs/**/{job}.log")
    assert "exit status 75" in log.read_text() or "exit code 75" in log.read_text()


def test_preemption(pack: Folder, pack_reference: Folder) -> None:
    """SLURM starts the whole pack again; what had ended is taken from its last checkpoint."""
    with second_of_four(pack, pack_reference) as (process, job, _):
        slurm("sbatch", "-p", "urgent", "-w", "c1", "-c", "2", "-o", "/dev/null", "--wrap", "sleep 3")
        until(lambda: "PENDING" in slurm("squeue", "-h", "-j", job, "-o", "%T"), "the job is back in the queue")
    pack.ends_well(process)
    went_on(pack, pack_reference)
    assert pack.output().count("has been submitted") == 1


def test_everything_is_killed_at_once(pack: Folder, pack_reference: Folder) -> None:
    with second_of_four(pack, pack_reference) as (process, _, first):
        kill_controller(process)
        pack.end_leftovers()
    until(lambda: not slurm("squeue", "-h", "-o", "%A"), "the job is gone")
    pack.run(*TRAIN)  # the same command
    went_on_after(pack, pack_reference, first)


def test_the_controller_is_killed_and_started_again_while_its_pack_runs(pack: Folder, pack_reference: Folder) -> None:
    with second_of_four(pack, pack_reference) as (process, job, first):
        kill_controller(process)
        pack.run("--unlock")  # by hand, because here the nodes are this machine and the job counts as alive
        process = pack.start(*TRAIN)
        until(lambda: f"SLURM job {job}; waiting for it" in pack.log(), "the second pack waits for the first")
    pack.ends_well(process)
    left_alone(pack, pack_reference, first)


def bad(pack: Folder, reference: Folder) -> Path:
    """Have one training fail whenever it is begun: a folder lies where its lock would."""
    block = reference.only("results/teachers/**/slow/paired-2").relative_to(reference.path / "results")
    lock = pack.path / ".smearlab" / "checkpoints" / f"{block}.checkpoint.lock"
    lock.mkdir(parents=True)
    return lock


@pytest.mark.parametrize("keep_going", [True, False])
def test_a_member_that_always_fails(pack: Folder, pack_reference: Folder, keep_going: bool) -> None:
    profile = pack.path / "profiles" / "slurm" / "profile.yaml"
    profile.write_text(profile.read_text().replace("keep-going: true", f"keep-going: {keep_going}".lower()))
    lock = bad(pack, pack_reference)
    evaluate = [*CLUSTER, "--until", "evaluate_teacher"]
    assert pack.start(*evaluate, "--retries", "1").wait() == 1
    done = pack.trained()
    assert done.keys() == {"paired-0", "paired-1", "paired-3"}
    assert sent_again(pack) == [1]
    (log,) = re.findall(r"packed job, not done in this run: (.*)", pack.output())
    assert log.endswith("paired-2.log") and "," not in log
    assert len(list(pack.path.glob("results/teachers/**/metrics.json"))) == (3 if keep_going else 0)
    lock.rmdir()
    pack.run(*evaluate)
    assert done.items() <= pack.trained().items()
    assert pack.calls() == pack_reference.calls()
    assert outcome(pack) == outcome(pack_reference)
