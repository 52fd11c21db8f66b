"""Plain `snakemake`, started, watched, killed, and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 400.0  # seconds; a machine may be busy
STARTED: list[subprocess.Popen[bytes]] = []
FOLDERS: dict[int, Path] = {}


def start(folder: Path, config: str, *targets: str, warm: str = "") -> subprocess.Popen[bytes]:
    """Start Snakemake in a process group of its own; every step of a training writes a checkpoint.

    What it says is added to the file `said` in the folder. warm: SMEARLAB_WARM, where a job is to run.
    """
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST", "COV", "SMEARLAB"))}
    with open(folder / "said", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *targets, "--cores", "all", "--configfile", config],
            cwd=folder,
            env=settings | {"SMEARLAB_CHECKPOINT_SECONDS": "0", **({"SMEARLAB_WARM": warm} if warm else {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    STARTED.append(process)
    FOLDERS[process.pid] = folder
    return process


def wait_for(process: subprocess.Popen[bytes], met: Callable[[], Any]) -> Any:
    """Return what `met` gives as soon as it gives something; fails if the process ends before."""
    end = time.monotonic() + PATIENCE
    while not (found := met()):
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)
    return found


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill Snakemake and all its children at once, as a machine that goes down does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=PATIENCE)
    end = time.monotonic() + PATIENCE
    while trainings(FOLDERS[process.pid]) and time.monotonic() < end:  # a warm one is killed by its guard
        time.sleep(0.01)


def kill_started() -> None:
    """Kill whatever was started and its children, suspended ones too."""
    while STARTED:
        kill_all(STARTED.pop())


def said(log: Path) -> str:
    """Return what a log says; Snakemake removes it before its job starts again."""
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def trainings(folder: Path) -> list[psutil.Process]:
    """Return the live processes that train in this folder: those that hold a run lock."""
    found = []
    for lock in (folder / ".smearlab" / "checkpoints").rglob("*.checkpoint.lock"):
        with suppress(psutil.Error, OSError, ValueError):
            process = psutil.Process(json.loads(lock.read_bytes())["process"])
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder:
                found.append(process)
    return found


def changes(folder: Path) -> Callable[[], int]:
    """Return a function that says how often something below the folder's results has changed since the last call."""
    state: dict[Path, int] = {}

    def count() -> int:
        now = {}
        for name in ("results", "logs", ".smearlab"):
            for path in (folder / name).rglob("*"):
                with suppress(FileNotFoundError):
                    now[path] = path.stat().st_mtime_ns
        different = sum(state.get(path) != changed for path, changed in now.items())
        state.clear()
        state.update(now)
        return different

    count()
    return count


@contextmanager
def edited_while(path: Path, old: str, new: str) -> Iterator[None]:
    """Within this context a text of a file is another one."""
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")
    yield
    path.write_text(before, encoding="utf-8")
