"""A process with the heavy libraries loaded, which forks a job for whoever asks, for as long as its Snakemake lives.

It only imports: no tensor is made, CUDA is not initialised and no thread computes, so that a fork is as good as a new
process. For each job it forks a guard, and that the job. The guard tells the client the exit code, passes its signals
on, and kills the job when the client is gone; if it is killed, so is the job. Guards and jobs outlive the server, as a
job outlives its Snakemake.
"""

import array
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from smearlab.host import job
from smearlab.host.warm import LENGTH, PASSED_ON

HEAVY = (  # what some stage needs; what this environment lacks is left out
    "torch",
    "smearlab.stages.train_teacher",
    "smearlab.stages.distill_student",
    "smearlab.stages.evaluate_student",
    "smearlab.stages.evaluate_teacher",
    "smearlab.stages.warm_up",
    "smearlab.stages.estimate_transition",
    "smearlab.stages.make_labels",
    "smearlab.stages.summarise",
    "smearlab.stages.collect",
    "smearlab.stages.draw_figure",
    "smearlab.stages.write_report",
)
TIDY = "jemalloc_bg_thd"  # pyarrow's allocator returns memory in it; the allocator itself sees to forks
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
ENDED = 0  # the exit code of a guard; the job's own goes to the client


def serve(path: str, run: int) -> None:
    """Serve on a unix socket at `path` until the process `run` ends; returns at once where forking would be unsafe."""
    for number in (signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    for module in HEAVY:
        with suppress(ModuleNotFoundError):
            importlib.import_module(module)
    if threads := _threads():
        print(f"warm process: a library has started {', '.join(threads)}; jobs run by themselves", flush=True)
        return
    gc.collect()
    gc.freeze()  # what is loaded by now is never collected in a fork, and so never copied
    try:
        alive = os.pidfd_open(run)
    except ProcessLookupError:
        return
    with _listening(path) as listener, suppress(SystemExit):
        signal.signal(signal.SIGTERM, _leave)
        _answer(listener, alive)
    for left in Path(path).parent.glob(f"{Path(path).stem}.*"):
        left.unlink(missing_ok=True)


def _leave(number: int, frame: FrameType | None) -> None:
    """Answer what a scheduler sends to everybody: guards and jobs see to themselves."""
    raise SystemExit


def _threads() -> list[str]:
    """Return the names of threads that a fork would lose in the middle of something."""
    own = {str(os.getpid())}
    names = [Path(f"/proc/self/task/{task}/comm").read_text(encoding="utf-8").strip() for task in _tasks() - own]
    return [name for name in names if name != TIDY]


def _tasks() -> set[str]:
    return set(os.listdir("/proc/self/task"))


def _listening(path: str) -> socket.socket:
    """Return a socket that listens at `path` and that only this user may use."""
    listener = socket.socket(socket.AF_UNIX)
    new = f"{path}.new"
    Path(new).unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        listener.bind(new)
    finally:
        os.umask(before)
    listener.listen(64)
    os.rename(new, path)  # only now can it be found
    return listener


def _answer(listener: socket.socket, alive: int) -> None:
    """Fork a guard for each client, until the run is over."""
    while True:
        ready = _ready(listener, alive)
        _reap()
        if alive in ready:
            return
        if listener in ready:
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os.close(alive)
                _guard(client)
            client.close()


def _ready(*sources: Any) -> list[Any]:
    """Return which of some sockets and process handles have something to say; empty after a while of silence."""
    ready, _, _ = select.select(sources, [], [], 5.0)
    return ready


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _guard(client: socket.socket) -> None:
    """Fork the job of a client, watch over both, and end; never returns.

    What a scheduler sends to all processes at once reaches the job by itself: the guard stays to say how it ended.
    """
    for number in PASSED_ON:
        signal.signal(number, signal.SIG_IGN)
    try:
        order, handles = _received(client)
        guard = os.getpid()
        process = os.fork()
        if process == 0:
            client.close()
            _end_with(guard)
            _become(order, handles)
        for handle in handles:
            os.close(handle)
        _watch(client, process)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(ENDED)


def _received(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, extra, _, _ = client.recvmsg(1 << 16, socket.CMSG_SPACE(2 * array.array("i").itemsize))
    handles = array.array("i")
    handles.frombytes(extra[0][2])
    length = LENGTH + int.from_bytes(data[:LENGTH], "big")
    while len(data) < length:
        more = client.recv(1 << 20)
        if not more:
            raise ConnectionError("a client went away in the middle of its job")
        data += more
    return json.loads(data[LENGTH:]), list(handles)


def _end_with(guard: int) -> None:
    """Have this process killed when its guard is, without whom its client counts it as failed."""
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(1)


def _become(order: dict[str, Any], handles: list[int]) -> None:
    """Turn this fork into the job that was asked for; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        for handle, standard in zip(handles, (1, 2), strict=True):
            os.dup2(handle, standard)
            os.close(handle)
        sys.stdout, sys.stderr = _text(1), _text(2)
        code = _run(order["call"])
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _text(handle: int) -> TextIO:
    return open(handle, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def _run(call: dict[str, Any]) -> int:
    """Run a job and return the exit code that a process of its own would have."""
    try:
        job.run(call)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _watch(client: socket.socket, process: int) -> None:
    """Tell the client how its job ended; pass its signals on; kill the job when the client is gone."""
    ended = os.pidfd_open(process)
    while True:
        ready = _ready(client, ended)
        if ended in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            with suppress(OSError):
                client.send(code.to_bytes(4, "big", signed=True))
            return
        if client not in ready:
            continue
        try:
            asked = client.recv(1)
        except OSError:
            asked = b""
        os.kill(process, asked[0] if asked else signal.SIGKILL)
        if not asked:
            os.waitpid(process, 0)
            return
