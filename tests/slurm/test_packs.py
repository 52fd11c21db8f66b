"""Short trainings that share a SLURM job: torch starts once for all, and nothing is lost when a part is killed."""

import os
import signal

import psutil
import pytest
from folders import TRAIN, Folder, started, training_process, until

pytestmark = pytest.mark.slurm


def test_a_packed_job_loads_torch_once_and_takes_one_step(pack: Folder) -> None:
    said = pack.run(*TRAIN, "--slurm-keep-successful-logs")
    assert said.count("has been submitted") == 1
    assert len(list(pack.path.glob("results/teachers/**/timings.json"))) == 4
    assert len(pack.starts()) == 1
    (log,) = pack.path.glob(".snakemake/slurm_logs/**/*.log")
    assert log.read_text().count("localrule train_teacher") == 4  # by the one Snakemake in the one step


def test_members_of_a_pack_take_turns(pack: Folder) -> None:
    with pack.held():
        process = pack.start(*TRAIN)
        until(lambda: list(pack.path.glob(".smearlab/checkpoints/**/slow/*.lock")), "the slow one is trained")
        assert len(pack.clients()) == 1
    pack.ends_well(process)


def test_the_server_is_killed(pack: Folder, pack_reference: Folder) -> None:
    process, _ = started(pack)
    guard = psutil.Process(training_process(pack)).parent()
    assert guard is not None and guard.ppid() == int(pack.starts()[0])
    os.kill(guard.ppid(), signal.SIGKILL)
    pack.ends_well(process)
    assert pack.calls() == pack_reference.calls()  # its job went on, and those that followed ran by themselves
    assert pack.output().count("has been submitted") == 1
