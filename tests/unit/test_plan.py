"""The plan of a grid is near what the published runs took, and says it in words."""

from pathlib import Path

import numpy as np
import pytest

from smearlab.core.digest import ROOT
from smearlab.grid.find import find_grid
from smearlab.grid.plan import disk_mb, plan, training_examples, training_minutes
from smearlab.store.files import read_json


@pytest.mark.parametrize(("config", "run"), [("config.yaml", "digits"), ("configs/cifar10-cpu.yaml", "cifar10_cpu")])
def test_the_plan_is_within_three_times_of_what_a_run_took(config: str, run: str):
    grid = find_grid(str(ROOT / config))
    planned = sum(training_minutes(cell) for cell in grid.cells.values())
    made = read_json(ROOT / "reports" / "published" / run / "made-with.json")
    spent = sum(stage["seconds"] for stage in made["cost"] if stage["stage"] in ("teachers", "students")) / 60
    assert planned / 3 < spent < planned * 3


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
