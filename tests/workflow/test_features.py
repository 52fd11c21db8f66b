"""A table of the user's own through the whole grid: noise, methods, estimates of T, students, tables, figures, page."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from in_process import run_grid

from smearlab.cli.parser import main
from smearlab.store.tables import Tables

N = 240
RECIPE = {"epochs": 8, "batch_size": 16, "optimiser": {"learning_rate": 0.1}, "block_size": 2, "snapshots": 1}
GRID = {
    "name": "table",
    "datasets": {"mine": {"kind": "features", "path": "mine.csv", "labels_column": "species", "test": 0.3}},
    "noises": {
        "symmetric": {"kind": "symmetric", "rates": [0, 0.3]},
        "instance": {"kind": "instance_dependent", "rates": [0.3]},
        "given": {"kind": "labels"},
    },
    "recipes": {
        "linear": {"architecture": "linear", "students_only": True, **RECIPE},
        "mlp": {"architecture": {"name": "mlp", "width": 8}, "estimate": {"folds": 2, "length": 1}, **RECIPE},
    },
    "methods": [
        "cross_entropy",
        {"name": "label_smoothing", "alphas": [0.2]},
        {"name": "forward", "transition": "estimated(anchor)"},
    ],
    "students": [{"teachers": ["cross_entropy"], "temperatures": [2], "views": ["fixed"], "recipe": "linear"}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of three kinds, far apart in units that differ 10,000-fold, with labels as somebody noted them."""
    rng = np.random.default_rng(0)
    kind = np.arange(N) % 3
    centres = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    values = (centres[kind] + rng.normal(size=(N, 2))) * [0.01, 100]
    species = np.array(["ash", "beech", "oak"])
    noted = np.where(rng.random(N) < 0.25, (kind + 1) % 3, kind)
    folder = tmp_path_factory.mktemp("table")
    columns = {"width": values[:, 0], "height": values[:, 1], "species": species[kind], "noisy_labels": species[noted]}
    pd.DataFrame(columns).to_csv(folder / "mine.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_grid(GRID)


def test_every_cell_has_its_numbers(tables: Tables) -> None:
    assert (tables.metrics["status"] == "finished").all()
    assert tables.metrics["test_accuracy"].notna().all()
    assert set(tables.metrics["arch"]) == {"linear", "mlp"} and set(tables.metrics["role"]) == {"teacher", "student"}


def test_classes_far_apart_are_told_apart_whatever_their_units(tables: Tables) -> None:
    clean = tables.metrics[(tables.metrics["noise_rate"] == 0) & (tables.metrics["role"] == "teacher")]
    assert (clean["test_accuracy"] > 0.9).all()


def test_the_labels_of_the_table_are_as_wrong_as_they_were_made(tables: Tables) -> None:
    given = tables.metrics[tables.metrics["noise"] == "given"]["realised_noise_rate"]
    assert given.between(0.15, 0.35).all()


def test_an_exported_network_predicts_from_features_in_their_own_units(
    tables: Tables, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("config.yaml").write_text(yaml.safe_dump(GRID), encoding="utf-8")
    cell = next(Path("results/teachers").glob("*/given*/*/mlp*/cross_entropy*"))
    assert main(["export", str(cell), "--out", "taken"]) == 0
    data = np.load(next(Path("results/data").glob("mine*/test.npz")))
    np.save("taken/rows.npy", data["images"])
    code = "import numpy as np, predict; np.save('told.npy', predict.logits(np.load('rows.npy')).argmax(1).numpy())"
    done = subprocess.run([sys.executable, "-c", code], cwd="taken", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    stored = np.load(cell / "paired-0" / "examples.npz")["test_predicted"][0]
    np.testing.assert_array_equal(np.load("taken/told.npy"), stored)
    logits = torch.export.load("taken/model.pt2").module()(torch.from_numpy(data["images"].astype(np.float64)))
    np.testing.assert_array_equal(logits.argmax(dim=1).numpy(), stored)


def test_the_page_speaks_of_examples_and_features(tables: Tables, folder: Path) -> None:
    page = (folder / "reports" / "table.html").read_text(encoding="utf-8")
    assert "2 features" in page and "train examples" in page and "train images" not in page
