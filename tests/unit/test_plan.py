"""The plan of a grid is near what the published runs took, and says it in words."""

import math
from pathlib import Path

import numpy as np
import pytest

from smearlab.core.digest import ROOT
from smearlab.core.jobs import plain
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.find import find_grid
from smearlab.grid.gpu_rates import own_rates, together
from smearlab.grid.plan import cpu_minutes, disk_mb, gpu_minutes, image_size, plan, training_examples, training_minutes
from smearlab.grid.resources import training_resources
from smearlab.store.files import read_json, write_sealed

HEADLINE = "paper-cifar10-headline"
CUT = dict.fromkeys(["architecture", "epochs", "steps", "precision", "snapshots"])


@pytest.mark.parametrize(("config", "run"), [("config.yaml", "digits"), ("configs/cifar10-cpu.yaml", "cifar10_cpu")])
def test_the_plan_is_within_three_times_of_what_a_run_took(config: str, run: str):
    grid = find_grid(str(ROOT / config))
    planned = sum(training_minutes(cell) for cell in grid.cells.values())
    made = read_json(ROOT / "reports" / "published" / run / "made-with.json")
    spent = sum(stage["seconds"] for stage in made["cost"] if stage["stage"] in ("teachers", "students")) / 60
    assert planned / 3 < spent < planned * 3


def test_the_headline_row_near_the_papers_takes_under_four_hours_on_two_cores():
    grid, paper = (find_grid(str(ROOT / "configs" / f"{name}.yaml")) for name in ("cifar10-near-paper-cpu", HEADLINE))
    hours = sum(len(grid.blocks(cell)) * training_minutes(cell) for cell in grid.cells.values()) / 60 / 2
    assert 3 < hours < 4
    (ours,), (theirs,) = (list(one.config.recipes.values()) for one in (grid, paper))
    assert {**ours.model_dump(), **CUT} == {**theirs.model_dump(), **CUT}
    assert [row.columns["method"] for row in grid.rows] == [row.columns["method"] for row in paper.rows]


def test_the_plan_of_the_default_grid_counts_its_blocks():
    text = plan(find_grid(str(ROOT / "config.yaml")))
    assert text.startswith("digits: 63 named cells, 58 computations")
    for line in ("estimates of T: 3 blocks", "teachers: 31 blocks", "students: 27 blocks", "evaluations: 58 blocks"):
        assert line in text


@pytest.mark.parametrize("split", [None, np.repeat(["train", "test"], [30, 10])])
def test_the_users_own_images_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: np.ndarray | None):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    arrays = {"images": np.zeros((40, 8, 8), np.uint8), "noisy_labels": np.arange(40) % 4}
    np.savez("data/own.npz", **arrays, **({} if split is None else {"split": split}))
    assert counted("own-data.yaml") == round(0.8 * (40 if split is None else 30))


@pytest.mark.parametrize("shape", [(40, 8, 8), (40, 8, 6, 3), (40, 28, 28)])
def test_the_users_own_images_are_of_the_size_that_the_file_declares(tmp_path: Path, monkeypatch, shape):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    np.savez("data/own.npz", images=np.zeros(shape, np.uint8), noisy_labels=np.arange(40) % 4)
    grid = find_grid(str(ROOT / "configs" / "own-data.yaml"))
    assert {image_size(cell) for cell in grid.cells.values()} == {shape[1]}


def test_images_in_folders_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for part, kind, n in (("train", "cat", 60), ("train", "dog", 40), ("test", "cat", 9)):
        folder = Path("data/imagenet", part, kind)
        folder.mkdir(parents=True)
        for k in range(n):
            (folder / f"{k}.png").write_bytes(b"not looked at")
    assert counted("paper-imagenet.yaml") == 98


def counted(name: str) -> int:
    return training_examples(next(iter(find_grid(str(ROOT / "configs" / name)).cells.values())))


def test_more_snapshots_need_more_disk(tmp_path: Path):
    text = (ROOT / "config.yaml").read_text()
    (tmp_path / "more.yaml").write_text(text.replace("    history_examples", "    snapshots: 23\n    history_examples"))
    few, many = (next(iter(find_grid(str(p)).cells.values())) for p in (ROOT / "config.yaml", tmp_path / "more.yaml"))
    assert disk_mb(many) == pytest.approx(2 * disk_mb(few))


def gpu_grid(**recipe: object) -> Grid:
    """A grid of one cell whose recipe may run on a GPU."""
    return load_grid(
        {
            "name": "gpu",
            "datasets": {"cifar": {"kind": "cifar10"}},
            "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
            "recipes": {"only": {"architecture": "resnet32", "steps": 22000, "precision": "bf16", **recipe}},
            "methods": ["cross_entropy"],
        }
    )


def test_a_block_on_the_card_that_was_measured_takes_what_it_took_there():
    """Three replicates of 22,000 steps took 163 s on an H100 (59,400 images/s in lanes)."""
    (cell,) = gpu_grid(device="cuda", block_size=3).cells.values()
    assert 60 * gpu_minutes(cell) == pytest.approx(163, rel=0.05)
    assert training_minutes(cell) == gpu_minutes(cell) < cpu_minutes(cell) / 50
    assert training_resources(cell)["runtime"] == max(5, math.ceil(3 * gpu_minutes(cell)))


def test_on_a_cpu_and_without_saying_so_a_block_takes_cpu_minutes():
    for device in ("cpu", "auto"):
        (cell,) = gpu_grid(device=device).cells.values()
        assert training_minutes(cell) == cpu_minutes(cell)


def test_the_plan_says_hours_on_gpus_and_from_where_it_knows(tmp_path: Path):
    assert "on GPUs" not in plan(gpu_grid(device="cpu"), tmp_path)
    assert "on GPUs, by an NVIDIA H100 80GB: about" in plan(gpu_grid(device="auto"), tmp_path)
    folder = tmp_path / "teachers" / "a" / "paired-0"
    (cell,) = gpu_grid().cells.values()
    account = {
        "recipe": plain(cell.recipe.settings),
        "environment": {"cuda": "13.0", "device": "NVIDIA Made-Up"},
        "replicates": [{"images_per_second": speed} for speed in (900.0, 1100.0)],
    }
    write_sealed(folder / "run.json", account)
    text = plan(gpu_grid(), tmp_path)
    assert "on GPUs, by own finished runs on NVIDIA Made-Up: about" in text
    rates, _ = own_rates(tmp_path)
    assert 60 * gpu_minutes(cell, rates) == pytest.approx(18 + 22000 * 128 * 5 / 1000)
    (folder / "run.json").write_text("{")  # a damaged account costs the plan nothing but what it knew
    assert "by an NVIDIA H100" in plan(gpu_grid(), tmp_path)


def test_more_replicates_side_by_side_are_never_slower_together():
    speeds = [together(n) for n in range(1, 12)]
    assert speeds == sorted(speeds) and speeds[0] == 1 and speeds[-1] == speeds[4] == 1.86
