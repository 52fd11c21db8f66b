"""A member that fails does not keep the others of its packed job from being done, nor what follows from them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from smearlab.grid.cells import load_grid
from smearlab.grid.load import read_config
from smearlab.watch.packs import has_ended
from smearlab.watch.records import Records

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
SBATCH = """#!/bin/sh
for word do case "$word" in --wrap=*) job=${word#--wrap=} ;; esac; done
export SLURM_JOB_ID=$(($(ls jobs | wc -l) + 1))
echo RUNNING >jobs/$SLURM_JOB_ID
{
    until ls .snakemake/incomplete/* >/dev/null; do sleep 0.1; done # Snakemake has noted that it was submitted
    if sh -c "$job" >log-$SLURM_JOB_ID 2>&1; then echo COMPLETED; else echo FAILED; fi >ended
    mv ended jobs/$SLURM_JOB_ID
} >/dev/null 2>&1 &
echo $SLURM_JOB_ID
"""
SACCT = """#!/bin/sh
for job in jobs/*; do [ -e "$job" ] && echo "${job#jobs/}|$(cat "$job")"; done
"""


def snakemake(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Snakemake in a folder that shows no GPU, with commands that stand for SLURM's and start jobs at once."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "pack.yaml"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pack.yaml").write_text(GRID, encoding="utf-8")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "bin").mkdir()
    for name, program in (("srun", SRUN), ("sbatch", SBATCH), ("sacct", SACCT)):
        (tmp_path / "bin" / name).write_text(program, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def test_the_others_and_what_follows_from_them_are_done(folder: Path) -> None:
    cells = load_grid(read_config(folder / "pack.yaml")).cells.values()
    made = {cell.recipe.name: folder / cell.folder("paired-0") for cell in cells}
    profile = ("--workflow-profile", str(ROOT / "profiles" / "slurm"), "--slurm-init-seconds-before-status-checks", "5")
    done = snakemake(folder, *profile, "--retries", "0", "--latency-wait", "5", "--until", "evaluate_teacher")
    assert done.returncode == 1
    assert (made["works"] / "run.json").exists() and (made["works"] / "metrics.json").exists()
    assert not (made["fails"] / "run.json").exists()
    assert [line.read_text().strip() for line in sorted((folder / "jobs").iterdir())] == ["FAILED", "COMPLETED"]
    named = re.findall(r"of a packed job, not done in this run: (\S+)\n", done.stderr)
    assert named == [f"logs/teachers/{made['fails'].relative_to(folder / 'results' / 'teachers')}.log"]


def test_what_lay_there_before_a_job_was_submitted_is_not_its_work(tmp_path: Path) -> None:
    notes, output = tmp_path / "notes", tmp_path / "run.json"
    mark = Path(Records(notes).mark(str(output)))
    assert not has_ended([str(output)], Records(notes))
    output.touch()
    assert has_ended([str(output)], Records(notes))
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert not has_ended([str(output)], Records(notes))
