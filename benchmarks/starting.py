"""What a grid costs in CPU seconds, the warm process beside jobs of their own, and beside another version.

    python benchmarks/starting.py [--config configs/smoke.yaml] [--against PATH]

PATH: a checkout of another version, for example `git worktree add PATH 92353ff`. Each contestant runs the grid from
nothing in a copy of its checkout; all descendants count, also those that outlive Snakemake. Prints seconds and ratios.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".snakemake", ".smearlab", "results", "logs", "reports", "data")
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: what outlives its parent becomes a child of this process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", default="configs/smoke.yaml")
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    contestants = [("warm process", ROOT, {}), ("a process each", ROOT, {"SMEARLAB_WARM": "0"})]
    if options.against:
        contestants.append((str(options.against), options.against.resolve(), {}))
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    seconds = {}
    for name, checkout, settings in contestants:
        cpu, wall = run(checkout, settings, options.config, options.cores)
        seconds[name] = cpu
        print(f"{name}: {cpu:.1f} CPU-s, {wall:.1f} s", flush=True)
    first = seconds.pop("warm process")
    for name, others in seconds.items():
        print(f"warm process / {name}: {first / others:.2f}")


def run(checkout: Path, settings: dict[str, str], config: str, cores: int) -> tuple[float, float]:
    """Run a grid from nothing in a copy of a checkout; return CPU seconds of all processes and wall seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "checkout"
        shutil.copytree(checkout, folder, ignore=LEFT_OUT)
        command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--configfile", config]
        began = time.monotonic()
        with open(Path(scratch) / "said", "wb") as said:
            process = subprocess.Popen(command, cwd=folder, env=os.environ | settings, stdout=said, stderr=said)
        cpu, wall = 0.0, 0.0
        while True:
            try:
                number, status, used = os.wait4(-1, 0)
            except ChildProcessError:
                return cpu, wall
            cpu += used.ru_utime + used.ru_stime
            if number == process.pid:
                wall = time.monotonic() - began
                if status != 0:
                    sys.exit((Path(scratch) / "said").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
