"""A GPU for each job of one machine: an exclusive token, freed on any death, taken before torch is loaded.

Jobs that start at once would all use the first GPU. Here each takes one of `jobs_per_gpu` tokens of one GPU: a
lock (flock) on a file of .smearlab/gpus/HOST/, which the system releases when the process ends, however it ends.
Inside a SLURM job that was given GPUs the scheduler has chosen, and nothing is changed.
"""

import fcntl
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.store.benchmarks import waited_line

TOKENS = Path(".smearlab") / "gpus"
GPU = re.compile(r"\d+|(GPU|MIG)-\S+")  # an item of CUDA_VISIBLE_DEVICES: a number, or a UUID, which may hold a "-1"
POLL = 0.5
WAITS = "waiting for one"  # how the last line of a log ends while its job waits for a GPU
NO_TORCH = "not installed here"
Log = Callable[[str], None]


@contextmanager
def own_gpu(device: str, log: Log) -> Iterator[str | None]:
    """Keep one GPU for this process while the context lasts and show torch no other; gives its name, or None.

    device: the recipe's auto, cuda or cpu. Waits while all tokens are taken. SMEARLAB_JOBS_PER_GPU in the
    environment: how many jobs may share one GPU (1).
    """
    if device == "cpu":
        yield None
    elif given := given_by_scheduler():
        log(f"device: SLURM job {os.environ['SLURM_JOB_ID']} was given GPU {given}")
        yield given
    elif not (names := visible_gpus()):
        log(f"device: NO GPU for this job: {no_gpu()}")
        yield None  # what follows from it is torch's to find and smearlab.training.device's to say
    else:
        with _token(names, jobs_per_gpu(), log) as name:
            os.environ |= {"CUDA_VISIBLE_DEVICES": name, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
            log(f"device: this job has GPU {name} of {len(names)}")
            yield name


def visible_gpus() -> list[str]:
    """Return the GPUs of this machine that may be used: CUDA_VISIBLE_DEVICES if it is set, else all.

    SMEARLAB_PRETENDED_GPUS=0,1,… pretends that these are there, for tests.
    """
    pretended = os.environ.get("SMEARLAB_PRETENDED_GPUS")
    found = _split(pretended) if pretended is not None else None
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return found if found is not None else _installed()
    names = _seen_by_cuda(allowed)
    return names if found is None else [name for name in names if name in found]


def given_by_scheduler() -> str | None:
    """Return the GPUs that SLURM gave this job, or None."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    return given if "SLURM_JOB_ID" in os.environ and given and given != "NoDevFiles" else None


def jobs_per_gpu() -> int:
    """Return how many jobs may share one GPU; UserError if SMEARLAB_JOBS_PER_GPU is no whole number above 0."""
    text = os.environ.get("SMEARLAB_JOBS_PER_GPU", "1")
    if not re.fullmatch("[1-9][0-9]{0,2}", text):
        raise UserError(f"SMEARLAB_JOBS_PER_GPU: {text!r} is not allowed; a whole number from 1 to 999 is")
    return int(text)


def describe() -> str:
    """Return in one line which torch is installed and which GPUs are there, without loading torch."""
    gpus = visible_gpus()
    shown = f"GPUs {', '.join(gpus)}" if gpus else no_gpu()
    return f"device: torch {torch_build()}; {shown}"


def torch_build() -> str:
    """Return version and kind of the installed torch, read from its files."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return NO_TORCH
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    values = dict(re.findall(r"^(__version__|cuda)\b[^=]*= '([^']*)'", text, re.MULTILINE))
    kind = f"built for CUDA {values['cuda']}" if "cuda" in values else "a CPU build, which can use no GPU"
    return f"{values.get('__version__', 'of unknown version')} ({kind})"


def no_gpu() -> str:
    """Return why there is no GPU, in words."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return "no GPU was found"
    return f"no GPU is visible (CUDA_VISIBLE_DEVICES is {allowed!r})"


@contextmanager
def _token(names: list[str], slots: int, log: Log) -> Iterator[str]:
    folder = _token_folder()
    since = None
    while (taken := _take(folder, names, slots)) is None:
        if since is None:
            log(f"device: all GPUs ({', '.join(names)}) are taken, {slots} job(s) on each; {WAITS}")
            since = time.monotonic()
        time.sleep(POLL)
    if since is not None:
        log(waited_line(time.monotonic() - since))
    name, file = taken
    try:
        yield name
    finally:
        os.close(file)


def _token_folder() -> Path:
    """Make the folder of this host's tokens, in which a group that shares the checkout may write; return it."""
    folder = TOKENS / socket.gethostname()
    folder.mkdir(parents=True, exist_ok=True)
    for place in (TOKENS, folder):
        if place.stat().st_uid == os.getuid():
            place.chmod(0o2775)
    return folder


def _take(folder: Path, names: list[str], slots: int) -> tuple[str, int] | None:
    """Take a free token, on a GPU with the fewest jobs; None if there is none."""
    for slot in range(slots):
        for name in names:
            file = _opened(folder / f"{_safe(name)}.{slot}")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                continue
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())  # for people; the lock is what counts
            return name, file
    return None


def _opened(token: Path) -> int:
    """Open a token; whatever the umask, others of its group may open it too."""
    file = os.open(token, os.O_RDWR | os.O_CREAT, 0o664)
    if os.fstat(file).st_uid == os.getuid():
        os.fchmod(file, 0o664)
    return file


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _split(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _seen_by_cuda(text: str) -> list[str]:
    """Return the GPUs of a CUDA_VISIBLE_DEVICES: as CUDA does, nothing from the first item on that names none."""
    return list(takewhile(GPU.fullmatch, (item.strip() for item in text.split(","))))


def _installed() -> list[str]:
    """Return the numbers of the NVIDIA GPUs in PCI order."""
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return run.stdout.split()
