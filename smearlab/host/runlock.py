"""One writer a block: a lock beside the checkpoint whose owner is checked to be alive, on a shared disk too.

A scheduler may start a block twice (a requeued job whose first process lives on, a Snakemake that was killed and
started again while its jobs run). The second process waits, and then finds the first one's final checkpoint. A
lock file names its owner: host, process, SLURM job. An owner on this host is dead when its process is gone; one
elsewhere when it has not renewed the file for STALE seconds of the disk's own clock.
"""

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from smearlab.store.files import write_text

RENEW = 15.0  # seconds
STALE = 180.0  # seconds without a renewal after which an owner on another host counts as dead
POLL = 1.0
Log = Callable[[str], None]
Owner = dict[str, Any]


@contextmanager
def run_lock(checkpoint: Path, log: Log) -> Iterator[None]:
    """Hold the lock of the block with this checkpoint; waits for a live owner, and takes a dead one's place.

    Should another process take it over (this one was stopped for minutes, say), this process gets a SIGTERM.
    """
    path = checkpoint.with_name(f"{checkpoint.name}.lock")
    me = _myself()
    path.parent.mkdir(parents=True, exist_ok=True)
    _wait(path, me, log)
    over = threading.Event()
    renewal = threading.Thread(target=_renew, args=(path, me, over), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        over.set()
        renewal.join()
        with _guard(path):
            if _owner(path) == me:
                path.unlink()


def describe(owner: Owner) -> str:
    """Return who an owner is, in words."""
    job = f", SLURM job {owner['slurm_job']}" if owner["slurm_job"] else ""
    return f"process {owner['process']} on {owner['host']}{job}"


def alive(owner: Owner, age: float) -> bool:
    """Return whether an owner lives; age: seconds since it renewed its lock."""
    if owner["place"] != _place():
        return age < STALE
    return owner["started"] is not None and _started(owner["process"]) == owner["started"]


def _wait(path: Path, me: Owner, log: Log) -> None:
    told = None
    while (owner := _take(path, me, log)) is not None:
        if owner != told:
            log(f"lock: this block is being trained by {describe(owner)}; waiting for it")
            told = owner
        time.sleep(POLL)


def _take(path: Path, me: Owner, log: Log) -> Owner | None:
    """Become the owner and return None, or return the live owner."""
    with _guard(path):
        owner = _owner(path)
        if owner is not None and alive(owner, _age(path)):
            return owner
        if owner is not None:
            log(f"lock: its last owner is dead ({describe(owner)}); taken over")
        write_text(path, json.dumps(me))
        return None


def _renew(path: Path, me: Owner, over: threading.Event) -> None:
    while not over.wait(RENEW):
        try:
            if _owner(path) != me:
                os.kill(os.getpid(), signal.SIGTERM)
                return
            os.utime(path)
        except OSError:
            continue  # a disk that is full or away for a moment; the next renewal tries again


def _guard(path: Path) -> FileLock:
    """Return the short lock under which an owner is read and replaced."""
    return FileLock(path.with_name(f"{path.name}.guard"))


def _owner(path: Path) -> Owner | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {"host": "a host unknown", "place": "", "process": 0, "started": None, "slurm_job": None, "token": ""}


def _age(path: Path) -> float:
    """Return the seconds since the last renewal by the clock of the disk, which a file written now tells."""
    probe = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    probe.touch()
    try:
        return probe.stat().st_mtime - path.stat().st_mtime
    finally:
        probe.unlink()


def _myself() -> Owner:
    return {
        "host": socket.gethostname(),
        "place": _place(),
        "process": os.getpid(),
        "started": _started(os.getpid()),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
        "token": uuid.uuid4().hex,
    }


def _place() -> str:
    """Return what makes process numbers comparable: the host since its last start, and the container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _started(process: int) -> str | None:
    """Return when a process was started, as its system counts; None if there is no such process."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self").exists() else _exists(process)
    except ProcessLookupError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _exists(process: int) -> str | None:
    """Return a text if there is a process of this number, on systems without /proc."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "yes"
