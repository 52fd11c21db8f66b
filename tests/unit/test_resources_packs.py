"""A member that fails does not keep the others of its packed job from being done."""

import os
import subprocess
import sys
from pathlib import Path

from smearlab.grid.cells import load_grid
from smearlab.grid.load import read_config

ROOT = Path(__file__).parents[2]
GRID = """
name: pack
datasets:
  digits: {kind: digits, subset: 100, test_subset: 50}
noises:
  symmetric: {kind: symmetric, rates: [0.4]}
recipes:
  works: &short {architecture: {name: cnn, width: 4}, epochs: 1, block_size: 1, snapshots: 0, device: cpu}
  fails: {<<: *short, device: cuda}
methods:
  - name: cross_entropy
"""
SRUN = """#!/bin/sh
while case "$1" in -*) true ;; *) false ;; esac; do shift; done
exec "$@"
"""


def snakemake(folder: Path, *arguments: str) -> int:
    """Run Snakemake in a folder that shows no GPU, with an srun that only runs its command; return its exit code."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "pack.yaml"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True).returncode


def test_members_after_a_failed_one_are_done(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(GRID, encoding="utf-8")
    (tmp_path / "srun").write_text(SRUN, encoding="utf-8")
    (tmp_path / "srun").chmod(0o755)
    cells = load_grid(read_config(tmp_path / "pack.yaml")).cells.values()
    runs = {cell.recipe.name: f"{cell.folder('paired-0')}/run.json" for cell in cells}
    assert snakemake(tmp_path, "--workflow-profile", "none", "--cores", "1", "--until", "make_labels") == 0
    # As sbatch starts it: the members are the targets, and nothing is said of going on after a failure.
    inside = ("--mode", "remote", "--executor", "slurm-jobstep", "--jobs", "1", "--nolock", "--retries", "0")
    failing_first = ("--prioritize", runs["fails"])
    assert snakemake(tmp_path, *inside, *failing_first, "--", *runs.values()) == 1
    assert (tmp_path / runs["works"]).exists()
    assert not (tmp_path / runs["fails"]).exists()
