"""What a SLURM job of many short trainings costs in CPU seconds, beside another version.

    python benchmarks/packed.py [--members 24] [--against PATH]

Root, Debian or Ubuntu: brings the cluster of tests/slurm up on this machine for each contestant and takes it down.
PATH: a checkout of another version. Data and labels are made before; then one job trains all blocks. All processes of
the job count, and the cluster's own, but not the Snakemake that submits. Prints seconds and ratios.
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

from starting import LEFT_OUT, ROOT, SUBREAPER

CLUSTER = ROOT / "tests" / "slurm" / "cluster.sh"
GRID = """
name: packed
datasets: {{digits: {{kind: digits, subset: 200, test_subset: 100}}}}
noises: {{symmetric: {{kind: symmetric, rates: [0.4]}}}}
recipes:
  tiny: {{architecture: {{name: cnn, width: 4}}, epochs: 8, batch_size: 32, block_size: 1, snapshots: 0}}
methods: [{{name: label_smoothing, alphas: {alphas}}}]
"""
SUBMIT = (
    "--workflow-profile profiles/slurm --slurm-status-command squeue --slurm-init-seconds-before-status-checks 3 "
    "--retries 0 --until train_teacher"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--members", type=int, default=24, help="at most 60")
    parser.add_argument("--against", type=Path, help="a checkout of another version")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    contestants = [ROOT, *([options.against.resolve()] if options.against else [])]
    seconds = [run(checkout, options.members) for checkout in contestants]
    for checkout, (cpu, wall) in zip(contestants, seconds, strict=True):
        print(f"{checkout}: {cpu:.1f} CPU-s, {wall:.1f} s from submission to end", flush=True)
    if options.against:
        (ours, our_wall), (others, their_wall) = seconds
        print(f"ratio: {ours / others:.2f} of the CPU seconds, {our_wall / their_wall:.2f} of the time")


def run(checkout: Path, members: int) -> tuple[float, float]:
    """Train a pack on a cluster in a copy of a checkout; return CPU seconds of its processes and wall seconds."""
    with tempfile.TemporaryDirectory(prefix="smearlab-cluster.") as scratch:
        os.chmod(scratch, 0o755)
        folder, cluster = Path(scratch) / "checkout", Path(scratch) / "cluster"
        shutil.copytree(checkout, folder, ignore=LEFT_OUT)
        alphas = [round(0.01 * (k + 1), 2) for k in range(members)]
        (folder / "packed.yaml").write_text(GRID.format(alphas=alphas), encoding="utf-8")
        snakemake(folder, "--cores", "2", "--until", "make_labels")
        reaped()
        os.environ |= {"SMEARLAB_CLUSTER": str(cluster), "SLURM_CONF": str(cluster / "etc" / "slurm.conf")}
        try:
            subprocess.run([CLUSTER, "up"], check=True)
            began = time.monotonic()
            snakemake(folder, *SUBMIT)
            wall = time.monotonic() - began
        finally:
            subprocess.run([CLUSTER, "down"], check=True)
        return reaped(), wall


def snakemake(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "snakemake", "--configfile", "packed.yaml", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout)


def reaped() -> float:
    """Wait for what was left to this process and return its CPU seconds, with those of all that it has waited for."""
    seconds = 0.0
    while True:
        try:
            used = os.wait4(-1, 0)[2]
        except ChildProcessError:
            return seconds
        seconds += used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
