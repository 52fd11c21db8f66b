"""What a big grid of short trainings asks a scheduler for, recorded by an sbatch that refuses every job."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = 1200
GRID = """
name: big
datasets:
  digits: {{kind: digits, subset: 200, test_subset: 100}}
noises:
  symmetric: {{kind: symmetric, rates: [0.4]}}
recipes:
  minutes: {{architecture: cnn, epochs: 30, block_size: 1, device: cuda}}
methods:
  - name: label_smoothing
    alphas: [{alphas}]
"""


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The sbatch calls of a grid of 1,200 trainings under the profile as it is shipped."""
    folder = tmp_path_factory.mktemp("grid")
    tools = tmp_path_factory.mktemp("tools")
    for name in ("sinfo", "squeue", "scontrol", "scancel", "sacct", "sacctmgr", "sshare"):
        _tool(tools / name, "exit 0")
    # one call at a time: a line of sixty paths is written in several pieces
    _tool(tools / "sbatch", f'exec 9>{folder}/lock; flock 9; echo "$@" >> {folder}/requests; echo refused >&2; exit 1')
    alphas = ", ".join(str(round(0.0005 * k, 4)) for k in range(1, CELLS + 1))
    (folder / "big.yaml").write_text(GRID.format(alphas=alphas), encoding="utf-8")
    command = f"{sys.executable} -m snakemake --snakefile {ROOT}/Snakefile --directory {folder} --configfile big.yaml"
    profile = f"--workflow-profile {ROOT}/profiles/slurm --retries 0 --until train_teacher"
    run = subprocess.run(
        [*command.split(), *profile.split()],
        cwd=folder,
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 1
    return (folder / "requests").read_text(encoding="utf-8").splitlines()


def _tool(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def test_a_thousand_short_trainings_are_tens_of_jobs(requests: list[str]) -> None:
    assert len(requests) == CELLS / 60


def test_a_packed_job_asks_for_the_cores_memory_and_gpu_of_one_member_and_the_minutes_of_all(
    requests: list[str],
) -> None:
    for request in requests:
        assert re.findall(r"--gpus=\S+", request) == ["--gpus=1"]
        assert "--cpus-per-task=1 " in request
        assert int(re.search(r"--mem (\d+)", request)[1]) < 5000
        assert int(re.search(r" -t (\d+)", request)[1]) == 60 * 5


def test_a_job_that_needs_a_gpu_goes_to_a_partition_that_has_one_and_may_be_requeued(requests: list[str]) -> None:
    for request in requests:
        assert " -p gpu " in request
        assert "--requeue" in request
        assert "--signal=USR1@120" in request
