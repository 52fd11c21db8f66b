"""Two processes never train one block at a time; a dead owner's place is taken, a live one is waited for."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smearlab.host import runlock
from smearlab.host.runlock import run_lock

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from smearlab.host import runlock
runlock.POLL = 0.02
with runlock.run_lock(Path(sys.argv[1]), lambda line: print(line, flush=True)):
    print("has it", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlock, "POLL", 0.02)
    monkeypatch.setattr(runlock, "RENEW", 0.05)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tmp_path / "cell" / "paired-0.checkpoint"


def hold(checkpoint: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(checkpoint)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "SLURM_JOB_ID": "17"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "has it\n"
    return process


def lock_of(checkpoint: Path) -> Path:
    return checkpoint.with_name("paired-0.checkpoint.lock")


def until(condition: Callable[[], object]) -> None:
    """Wait for what another thread does, however busy the machine is: pytest's own limit ends what never comes."""
    while not condition():
        time.sleep(0.02)


def owned_elsewhere(checkpoint: Path, age: float) -> None:
    """Write the lock of an owner on another host that renewed it some seconds ago."""
    path = lock_of(checkpoint)
    path.parent.mkdir(parents=True)
    owner = {"host": "far", "place": "far", "process": 1, "started": "5", "slurm_job": "9", "token": "x"}
    path.write_text(json.dumps(owner), encoding="utf-8")
    os.utime(path, (time.time() - age, time.time() - age))


def test_a_live_owner_is_waited_for(checkpoint: Path) -> None:
    holder = hold(checkpoint)
    said: list[str] = []

    def log(line: str) -> None:
        said.append(line)
        assert holder.stdin is not None
        holder.stdin.close()  # its block ends

    with holder, run_lock(checkpoint, log):
        assert holder.wait() == 0
        assert json.loads(lock_of(checkpoint).read_text())["process"] == os.getpid()
    assert said == [said[0]]
    assert f"being trained by process {holder.pid} on " in said[0] and "SLURM job 17; waiting for it" in said[0]
    assert not lock_of(checkpoint).exists()


def test_a_killed_owners_place_is_taken(checkpoint: Path) -> None:
    with hold(checkpoint) as holder:
        holder.send_signal(signal.SIGKILL)
    said: list[str] = []
    with run_lock(checkpoint, said.append):
        assert "is dead" in said[0] and f"process {holder.pid}" in said[0]


def test_a_number_that_another_process_has_now_is_no_live_owner(checkpoint: Path) -> None:
    with run_lock(checkpoint, print):
        record = json.loads(lock_of(checkpoint).read_text())
    lock_of(checkpoint).write_text(json.dumps(record | {"started": "1"}))
    said: list[str] = []
    with run_lock(checkpoint, said.append):
        assert "is dead" in said[0]


def test_an_owner_on_another_host_is_dead_when_it_has_not_renewed_its_lock(checkpoint: Path) -> None:
    owned_elsewhere(checkpoint, runlock.STALE + 20)
    said: list[str] = []
    with run_lock(checkpoint, said.append):
        assert "is dead (process 1 on far, SLURM job 9)" in said[0]


def test_an_owner_on_another_host_that_renews_its_lock_is_waited_for(checkpoint: Path) -> None:
    owned_elsewhere(checkpoint, runlock.STALE - 60)
    said: list[str] = []

    def log(line: str) -> None:
        said.append(line)
        if "waiting" in line:
            lock_of(checkpoint).unlink()  # the other one is done

    with run_lock(checkpoint, log):
        assert "being trained by process 1 on far" in said[0]


def test_the_owner_renews_its_lock(checkpoint: Path) -> None:
    with run_lock(checkpoint, print):
        os.utime(lock_of(checkpoint), (0, 0))
        until(lambda: lock_of(checkpoint).stat().st_mtime > 0)


def test_an_owner_that_was_replaced_is_asked_to_stop_and_leaves_the_lock(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: stops.append(number))
    try:
        with run_lock(checkpoint, print):
            lock_of(checkpoint).write_text('{"token": "another"}')
            until(lambda: stops)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert stops == [signal.SIGTERM]
    assert lock_of(checkpoint).read_text() == '{"token": "another"}'


def test_a_torn_lock_file_stops_nobody(checkpoint: Path) -> None:
    lock_of(checkpoint).parent.mkdir(parents=True)
    lock_of(checkpoint).write_text('{"host": "x"')
    os.utime(lock_of(checkpoint), (0, 0))
    with run_lock(checkpoint, print):
        pass


def test_of_many_that_start_at_once_only_one_is_at_work_at_a_time(checkpoint: Path, tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from smearlab.host import runlock
runlock.POLL = 0.02
inside = Path(sys.argv[2])
with runlock.run_lock(Path(sys.argv[1]), lambda line: None):
    inside.mkdir()
    time.sleep(0.1)
    inside.rmdir()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(checkpoint), str(tmp_path / "inside")]
    started = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
