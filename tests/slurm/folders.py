"""Copies of the checkout in which the cluster tests run Snakemake, and what they look at there."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PATIENCE = 1200  # seconds for one Snakemake; on a quiet machine the longest takes a tenth of that
CLUSTER = (
    "--workflow-profile profiles/slurm --slurm-status-command squeue --slurm-init-seconds-before-status-checks 3 "
    "--latency-wait 20"
).split()

TRAIN = [*CLUSTER, "--until", "train_teacher"]
STEPS_AT_RISK = 12  # those of the half second between checkpoints, and the one in which the signal comes


def copy_checkout(folder: Path) -> None:
    """Copy what git knows of the checkout, and add the slow method and the note of who loads torch."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in names.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    package = folder / "smearlab"
    shutil.copy(HERE / "slow.py.in", package / "methods" / "slow.py")
    shutil.copy(HERE / "loads.py.in", package / "loads.py")
    with (package / "__init__.py").open("a") as first:
        first.write("\nfrom smearlab import loads as loads\n")


class Folder:
    """A copy of the checkout, and one grid in it."""

    def __init__(self, path: Path, config: str, *, pause: float = 0.0, **environment: str) -> None:
        self.path, self.config = path, config
        self.calls_file, self.hold_file = path / "calls", path / "hold"
        self.environment = (
            os.environ
            | environment
            | {
                "SMEARLAB_TEST_CALLS": str(self.calls_file),
                "SMEARLAB_TEST_HOLD": str(self.hold_file),
                "SMEARLAB_TEST_LOADS": str(path / "loads"),
                "SMEARLAB_TEST_PAUSE": str(pause),
                "SMEARLAB_CHECKPOINT_SECONDS": "0.5",
            }
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake in its own process group; its output goes to the file `output`."""
        command = [sys.executable, "-m", "snakemake", "--configfile", f"tests/slurm/{self.config}", *arguments]
        with (self.path / "output").open("ab") as output:
            return subprocess.Popen(
                ["timeout", "-k", "20", str(PATIENCE), *command],
                cwd=self.path,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> str:
        """Run Snakemake to its end and return its output; it must succeed."""
        (self.path / "output").write_bytes(b"")
        self.ends_well(self.start(*arguments))
        return self.output()

    def ends_well(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for a Snakemake, which must succeed."""
        assert process.wait() == 0, self.output()[-6000:]

    def output(self) -> str:
        """What Snakemake has said so far."""
        return (self.path / "output").read_text(encoding="utf-8", errors="replace")

    def calls(self) -> int:
        """How many steps the slow method was called for, over all processes."""
        return self.calls_file.stat().st_size if self.calls_file.exists() else 0

    def starts(self) -> list[str]:
        """The processes that have loaded torch by themselves so far."""
        return (self.path / "loads").read_text().split()

    @contextmanager
    def held(self, steps: int = 0) -> Iterator[None]:
        """Let no step of slow trainings end within this context, but for so many of all."""
        self.hold(steps)
        try:
            yield
        finally:
            self.hold_file.unlink()

    def hold(self, steps: int) -> None:
        """Let only so many steps of slow trainings end."""
        new = self.hold_file.with_suffix(".new")
        new.write_text(str(steps))
        new.rename(self.hold_file)

    def at_work(self) -> list[psutil.Process]:
        """What works in this folder."""
        return [process for process in psutil.process_iter() if self._holds(process)]

    def _holds(self, process: psutil.Process) -> bool:
        try:
            return Path(process.cwd()) == self.path and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            return False

    def clients(self) -> list[psutil.Process]:
        """The jobs of this folder that Snakemake has started, of which a warm process does the work."""
        return [process for process in self.at_work() if self._runs_a_stage(process)]

    @staticmethod
    def _runs_a_stage(process: psutil.Process) -> bool:
        try:
            return any("run_stage.py" in word for word in process.cmdline()[:2])
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    def end_leftovers(self) -> None:
        """Kill what still works in this folder: processes that SLURM has lost sight of."""
        for process in self.at_work():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def trained(self) -> dict[str, int]:
        """The weights of the trainings that have ended, as files that are not the same after they were made anew."""
        return {path.parent.name: path.with_name("weights.safetensors").stat().st_ino for path in self._accounts()}

    def _accounts(self) -> list[Path]:
        return list(self.path.glob("results/teachers/**/slow/*/run.json"))

    def marks(self) -> list[Path]:
        """What says that somebody is at work, or was: locks, Snakemake's and the trainings', and unfinished files."""
        places = (".snakemake/locks/*", ".snakemake/incomplete/**/*", ".smearlab/checkpoints/**/*.lock")
        found = [path for place in places for path in self.path.glob(place) if path.is_file()]
        return found + [path for path in self.path.glob("results/**/*") if path.suffix in (".new", ".next", ".tmp")]

    def only(self, pattern: str) -> Path:
        """The one file of a pattern."""
        (found,) = self.path.glob(pattern)
        return found

    def log(self) -> str:
        """The logs of the slow trainings; empty while there are none."""
        logs = sorted(self.path.glob("logs/teachers/**/slow/paired-*.log"))
        return "".join(path.read_text(encoding="utf-8") for path in logs)


def until(true: Callable[[], Any], what: str, seconds: float = 300) -> Any:
    """Wait until something is true and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"waited {seconds} s in vain until {what}"
        time.sleep(0.1)
    return found


def slurm(*command: str) -> str:
    """Run a SLURM command and return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def running_job() -> str:
    """Wait for the one running SLURM job and return its number."""
    return until(lambda: slurm("squeue", "-h", "-t", "running", "-o", "%A"), "a SLURM job runs").split()[0]


def started(
    folder: Folder, *arguments: str, steps: int = 12, trainings: int = 1
) -> tuple[subprocess.Popen[bytes], str]:
    """Start Snakemake, wait until so many trainings are under way, with a checkpoint each, and return its SLURM job."""
    process = folder.start(*TRAIN, *arguments)
    until(lambda: folder.calls() >= steps, "the training is under way")
    checkpoints = ".smearlab/checkpoints/**/slow/*.checkpoint"
    until(lambda: len(list(folder.path.glob(checkpoints))) >= trainings, "there is a checkpoint")
    return process, running_job()


def went_on(folder: Folder, reference: Folder) -> None:
    """The training went on from its checkpoint: no more steps were done twice than lie between two checkpoints."""
    assert re.search(r"continues at step [1-9]", folder.log())
    assert reference.calls() <= folder.calls() <= reference.calls() + STEPS_AT_RISK


def training_process(folder: Folder) -> int:
    """Return the process that holds the run lock of the slow training."""
    lock = folder.only(".smearlab/checkpoints/**/slow/*.lock")
    return json.loads(lock.read_text(encoding="utf-8"))["process"]


def kill_controller(process: subprocess.Popen[bytes]) -> None:
    """Kill a Snakemake and all its local children at once, as a login node that goes down does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def outcome(folder: Folder) -> dict[str, bytes]:
    """All results of a folder apart from figures and what tells the time."""
    results = [p for p in (folder.path / "results").rglob("*") if p.is_file() and not p.name.startswith(".")]
    kept = [p for p in sorted(results) if "figures" not in p.parts and p.name != "timings.json"]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in kept}
