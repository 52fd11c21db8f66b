"""The way to a warm process: one that has the heavy libraries loaded and forks a job for whoever asks.

Python and torch take seconds to start, most jobs less to run. The second job of a Snakemake run starts a server
(smearlab/host/server.py) in its own environment; later ones hand themselves over on a unix socket and wait for the exit
code. Nothing depends on it: without a server, or when it is gone, a job runs where it is. SMEARLAB_WARM=0 in the
environment turns it off; with SMEARLAB_WARM=first the first job starts it, and waits for it. A packed job of a
scheduler is a run of its own, whose first block starts it (smearlab/host/scheduler.py).
"""

import array
import hashlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

PLACE = Path(".smearlab") / "warm"
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GOTO_NUM_THREADS", "NUMEXPR_NUM_THREADS")
LONGEST = 70  # bytes of a folder's name; the system allows 108 for a whole socket's
LENGTH = 8  # bytes that say how long a message is
START = "import sys; sys.path[:] = {path!r}; from smearlab.host.server import serve; serve({socket!r}, {run})"


def hand_over(call: dict[str, Any]) -> int | None:
    """Have a job run by this run's warm process and return its exit code; None where it must run here.

    A signal that ends the job ends this process, too.
    """
    if os.environ.get("SMEARLAB_WARM") == "0" or not hasattr(os, "pidfd_open"):
        return None
    message = _message(call)
    run = snakemake_above()
    if message is None or run is None or (folder := _folder()) is None:
        return None
    place = folder / f"{_key(run)}.sock"
    if os.environ.get("SMEARLAB_WARM") == "first":
        _start_and_wait(place, run)
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(place))
        except OSError:
            _prepare(place, run)
            return None
        return _waited(connection, message)
    return None


def snakemake_above() -> int | None:
    """Return the process id of the Snakemake that this process belongs to, or None."""
    process = os.getppid()
    while process > 1:
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (OSError, ValueError):
            return None
        if any(os.path.basename(word) == b"snakemake" for word in command[:4]):
            return process
        process = int(status[1])
    return None


def _folder() -> Path | None:
    """Return the folder of the sockets: in a SLURM job on the node's own disk, as a shared one may not carry any.

    None where somebody else has taken its name.
    """
    if "SLURM_JOB_ID" not in os.environ:
        return PLACE
    folder = Path(tempfile.gettempdir()) / f"smearlab-{os.getuid()}"
    if len(os.fsencode(folder)) > LONGEST:
        return PLACE
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
            return folder
    return None


def _key(run: int) -> str:
    """Return what jobs that may share a server have in common: run, host, environment, numbers of threads."""
    started = Path(f"/proc/{run}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    threads = [os.environ.get(name, "") for name in THREADS]
    shared = [socket.gethostname(), run, started, sys.prefix, sys.executable, *threads]
    return hashlib.sha256(json.dumps(shared).encode()).hexdigest()[:16]


def _message(call: dict[str, Any]) -> bytes | None:
    """Return a job as JSON, with where and in which surroundings it runs; None if JSON would alter it."""
    text = json.dumps({"call": call, "folder": os.getcwd(), "environment": dict(os.environ)})
    if json.loads(text)["call"] != call:
        return None
    data = text.encode()
    return len(data).to_bytes(LENGTH, "big") + data


def _prepare(place: Path, run: int) -> None:
    """Start a server, unless this is the first job of its kind (which may be the only one) or one is being started."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seen = place.with_suffix(".seen")
    if seen.exists():
        _start(place, run)
    seen.touch()


def _start_and_wait(place: Path, run: int) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = _start(place, run)
    while not place.exists() and _is_coming(place, server):
        time.sleep(0.05)


def _is_coming(place: Path, server: "subprocess.Popen[bytes] | None") -> bool:
    """Return whether a server that was started, by this process or another, is still there."""
    if server is not None:
        return server.poll() is None
    with suppress(OSError):
        processes = place.with_suffix(".started").read_text(encoding="utf-8").split()
        return bool(processes) and Path("/proc", processes[-1]).exists()
    return False


def _start(place: Path, run: int) -> "subprocess.Popen[bytes] | None":
    """Start a server in this process's environment, unless somebody does already."""
    with suppress(FileExistsError), open(place.with_suffix(".started"), "x", encoding="utf-8") as started:
        print(os.getpid(), file=started, flush=True)
        program = START.format(path=sys.path, socket=str(place), run=run)
        with open(place.with_suffix(".log"), "ab") as log:
            server = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # what the terminal sends reaches jobs through their own client alone
            )
        print(server.pid, file=started)
        return server
    return None


def _waited(connection: socket.socket, message: bytes) -> int | None:
    """Send a job with this process's standard output and error, pass signals on, and return its exit code."""
    handles = array.array("i", [1, 2])
    sent = connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
    connection.sendall(message[sent:])
    before = {number: signal.signal(number, _passing(connection)) for number in PASSED_ON}
    said = b""
    while len(said) < 4 and (more := connection.recv(4 - len(said))):
        said += more
    for number, handler in before.items():
        signal.signal(number, handler)
    if len(said) < 4:
        return 1  # the server was killed with the job in its hands: a failed job, which Snakemake reports
    code = int.from_bytes(said, "big", signed=True)
    if code < 0:
        _end_by(-code)
    return code


def _passing(connection: socket.socket) -> Any:
    def pass_on(number: int, frame: FrameType | None) -> None:
        with suppress(OSError):
            connection.send(bytes([number]))

    return pass_on


def _end_by(number: int) -> None:
    """End this process by the signal that ended its job."""
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
