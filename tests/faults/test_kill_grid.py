"""A grid that is killed again and again, and continued by the same command, ends as one that never was."""

import json
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from projects import TINY, Project, checkout, hashes
from running import changes, kill_all, said, start, trainings, wait_for

from smearlab.training.checkpoint import unpacked

CONFIG = "configs/tiny.yaml"
KILLS = 6
TEACHER = "results/teachers/*/symmetric-*/rate=0.4/*/cross_entropy*/paired-0"


def test_killed_at_random_moments_and_continued(unbroken, tmp_path: Path) -> None:
    project = checkout(tmp_path / "killed")
    config = project.write(TINY)
    draw = random.Random(4)
    seen: dict[tuple, float] = {}
    for _ in range(KILLS):
        seen |= kill_one(project.folder, config, draw)
    process = start(project.folder, config)
    assert process.wait(timeout=600) == 0, (project.folder / "said").read_text()
    assert hashes(unbroken[0].folder) == hashes(project.folder)
    final = times_of_outputs(project.folder)
    assert seen  # else the kills came too early to prove anything
    assert {key: final[key] for key in seen} == seen  # a network trained again would have taken another time
    assert project.plan(TINY) == {}


def kill_one(folder: Path, config: str, draw: random.Random) -> dict[tuple, float]:
    """Run until something was written so many times, kill all, and return the time of each finished training."""
    process = start(folder, config)
    count, left = changes(folder), draw.randrange(5, 150)

    def enough() -> bool:
        nonlocal left
        left -= count()
        return left <= 0

    wait_for(process, enough)
    kill_all(process)
    assert not trainings(folder)
    return times_of_checkpoints(folder) | times_of_outputs(folder)


def times_of_checkpoints(folder: Path) -> dict[tuple, float]:
    """Return the training time of every network that some checkpoint has as finished."""
    found = {}
    root = folder / ".smearlab" / "checkpoints"
    for path in root.rglob("*.checkpoint"):
        _, values = unpacked(path.read_bytes())
        block = str(path.relative_to(root).with_suffix(""))
        found |= times(block, [result["entry"] for result in values["finished"].values()])
    return found


def times_of_outputs(folder: Path) -> dict[tuple, float]:
    """Return the training time of every network that is finished."""
    found = {}
    for path in folder.glob("results/*s/**/timings.json"):
        block = str(path.parent.relative_to(folder / "results"))
        found |= times(block, json.loads(path.read_text())["replicates"])
    return found


def times(block: str, entries: list[dict]) -> dict[tuple, float]:
    return {(block, entry["noise_seed"], entry["seed"]): entry["train_seconds"] for entry in entries}


def one_training(project: Project) -> tuple[Path, bytes]:
    """Remove the results of one teacher; return its folder and the bytes that its weights had."""
    (block,) = project.folder.glob(TEACHER)
    weights = (block / "weights.safetensors").read_bytes()
    shutil.rmtree(block)
    return block, weights


def in_training(project: Project, block: Path, warm: str) -> tuple[subprocess.Popen[bytes], Path]:
    """Start the training of one block; return the process and its log once a checkpoint is there."""
    target = str((block / "weights.safetensors").relative_to(project.folder))
    process = start(project.folder, CONFIG, target, warm=warm)
    name = block.relative_to(project.folder / "results")
    wait_for(process, (project.folder / ".smearlab/checkpoints" / f"{name}.checkpoint").exists)
    return process, project.folder / "logs" / f"{name}.log"


ALONE_OR_FORKED = pytest.mark.parametrize("warm", ["0", "first"])  # in a process of its own, or of a warm one


@ALONE_OR_FORKED
def test_a_training_that_is_killed_alone_continues_where_it_was(finished: Project, warm: str) -> None:
    block, weights = one_training(finished)
    process, log = in_training(finished, block, warm)
    (training,) = trainings(finished.folder)
    training.kill()
    assert process.wait(timeout=600) == 1
    assert (
        start(finished.folder, CONFIG, str(block.relative_to(finished.folder) / "weights.safetensors")).wait(600) == 0
    )
    assert "continues at step" in said(log) or "replicates are finished" in said(log)
    assert (block / "weights.safetensors").read_bytes() == weights


@ALONE_OR_FORKED
def test_a_training_that_outlives_its_snakemake_is_waited_for_and_not_repeated(finished: Project, warm: str) -> None:
    block, weights = one_training(finished)
    process, log = in_training(finished, block, warm)
    (orphan,) = trainings(finished.folder)
    orphan.suspend()  # so that it is still there when the next run comes to its block
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=600)
    following = start(finished.folder, CONFIG, str(block.relative_to(finished.folder) / "weights.safetensors"))
    wait_for(following, lambda: "waiting for it" in said(log))
    orphan.resume()
    assert following.wait(timeout=600) == 0, (finished.folder / "said").read_text()
    assert "2 of 2 replicates are finished" in said(log)
    assert (block / "weights.safetensors").read_bytes() == weights
