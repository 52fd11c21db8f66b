"""Every config that comes with the project is a grid, and says in one line what of the user's it lacks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.load import read_config

ROOT = Path(__file__).parents[2]
CONFIGS = sorted([ROOT / "config.yaml", *(ROOT / "configs").glob("*.yaml")])
LACKING = {
    "cifar-n.yaml": "config: noises.worst.path: no such file: data/CIFAR-10_human.pt",
    "cifar10-human-cpu.yaml": "config: noises.human.path: no such file: data/CIFAR-10_human.pt",
    "cifar100-coarse-cpu.yaml": "config: noises.human.path: no such file: data/CIFAR-100_human.pt",
    "cifar100-human-cpu.yaml": "config: noises.human.path: no such file: data/CIFAR-100_human.pt",
    "own-data.yaml": "config: datasets.own: data/own.npz: no such file",
    "own-noisy-digits-gold.yaml": "config: datasets.own: data/noisy-digits.npz: no such file",
    "own-noisy-digits.yaml": "config: datasets.own: data/noisy-digits.npz: no such file",
    "paper-imagenet.yaml": "config: datasets.imagenet: data/imagenet/train: no such folder",
}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without any data."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def supplied(bare: Path) -> Path:
    """A working folder with something of everything that a user brings."""
    (bare / "data").mkdir()
    for name in ("CIFAR-10_human.pt", "CIFAR-100_human.pt"):
        (bare / "data" / name).write_bytes(b"not read before the grid runs")
    images = np.zeros((40, 8, 8), np.uint8)
    for name in ("own.npz", "noisy-digits.npz"):
        np.savez(bare / "data" / name, images=images, noisy_labels=np.arange(40) % 4)
    (bare / "gold").mkdir()
    (bare / "gold" / "own.csv").write_text("row,label\n0,1\n", encoding="utf-8")
    for part, kind in [(p, k) for p in ("train", "test") for k in ("cat", "dog")]:
        folder = bare / "data" / "imagenet" / part / kind
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "one.png")
    return bare


def grid_of(path: Path) -> Grid:
    return load_grid(read_config(path))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_a_config_is_a_grid_or_says_what_it_lacks(path: Path, bare: Path) -> None:
    if path.name not in LACKING:
        assert grid_of(path).cells
        return
    with pytest.raises(UserError) as error:
        grid_of(path)
    assert str(error.value).splitlines()[0].startswith(LACKING[path.name])


@pytest.mark.parametrize("name", sorted(LACKING))
def test_with_the_users_files_it_is_a_grid(name: str, supplied: Path) -> None:
    grid = grid_of(ROOT / "configs" / name)
    assert grid.cells and all(cell.path for cell in grid.cells.values())


def test_names_differ_and_say_the_file() -> None:
    names = [read_config(path)["name"] for path in CONFIGS]
    assert len(set(names)) == len(names)
    shipped = {path.stem.replace("-", "_") for path in CONFIGS if path.parent.name == "configs"}
    assert shipped <= set(names)


def test_own_data_refuses_what_needs_clean_labels(supplied: Path) -> None:
    content = read_config(ROOT / "configs" / "own-data.yaml")
    content["noises"]["drawn"] = {"kind": "symmetric", "rates": [0.2]}
    content["methods"].append({"name": "backward", "transition": "true"})
    content["students"] = [{"teachers": ["cross_entropy"], "labels": ["clean"]}]
    with pytest.raises(UserError) as error:
        load_grid(content)
    lines = str(error.value).splitlines()
    assert len(lines) == 3 and all("data set own has no clean labels" in line for line in lines)
    assert "use kind labels" in lines[0] and "use transition estimated(NAME) or alpha" in lines[1]


def test_only_cells_with_an_estimate_ask_for_one(supplied: Path) -> None:
    grid = grid_of(ROOT / "configs" / "own-data.yaml")
    asking = [cell for cell in grid.cells.values() if cell.estimate_files("paired-0")]
    assert {cell.method.name for cell in asking} == {"forward"} and len(asking) == 3
    assert len(grid.estimates) == 1  # three estimators read one set of probabilities
