"""Every registered method and noise, from the config to the page, on a handful of real digits."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_process import run_grid
from sklearn.datasets import load_digits

from smearlab.core import registry
from smearlab.noises._draw import is_rated, rate_range
from smearlab.store.tables import Tables

N, L = 160, 10
METHODS: dict[str, dict[str, Any]] = {  # options without a default
    "smoothing_matrix": {"matrix": "matrix.csv"},
    "weight_decay": {"decay": 0.01},
}
NOISES: dict[str, dict[str, Any]] = {
    "asymmetric": {"class_map": [0, 7, 7, 8, 4, 6, 5, 1, 8, 9]},
    "human": {"path": "human.csv", "column": "careless"},
    "matrix": {"path": "matrix.csv"},
    "matched_twin": {"of": {"kind": "human", "path": "human.csv", "column": "careless"}},
}
GIVEN = {"alpha", "transition", "rate"}  # by keys of their own


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data of each kind that a user may bring."""
    folder = tmp_path_factory.mktemp("grid")
    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))[: N + 40]
    images, labels = (bunch.images[order] * 15.9).astype(np.uint8), bunch.target[order].astype(np.int64)
    careless = np.where(np.random.default_rng(1).random(len(labels)) < 0.3, (labels + 3) % L, labels)
    place = np.arange(len(labels))
    split = np.select([place >= N, place % 8 == 0], ["test", "validation"], "train")
    np.savez(folder / "own.npz", images=images, labels=labels, noisy_labels=careless, split=split)
    np.savetxt(folder / "matrix.csv", 0.8 * np.eye(L) + 0.2 / L, delimiter=",")
    with open(folder / "human.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["clean_label", "careless"], *zip(labels, careless, strict=True)])
    return folder


def grid(name: str, **parts: Any) -> dict[str, Any]:
    recipe = {
        "architecture": {"name": "cnn", "width": 4},
        "epochs": 2,
        "batch_size": 16,
        "optimiser": {"learning_rate": 0.05},
        "block_size": 1,
        "snapshots": 1,
        "estimate": {"folds": 2, "length": 0.5},
    }
    symmetric = {"symmetric": {"kind": "symmetric", "rates": [0.4]}}
    own = {"own": {"kind": "arrays", "path": "own.npz"}}
    return {"name": name, "datasets": own, "noises": symmetric, "recipes": {"tiny": recipe}} | parts


def complete(kind: str, given: dict[str, dict[str, Any]]) -> list[str]:
    """Return the entries whose options have a default or a value here."""
    needed = {
        name: {key for key, o in registry.describe(kind, name).options.items() if o.default is registry.REQUIRED}
        for name in registry.names(kind)
    }
    return [name for name, keys in needed.items() if keys - GIVEN <= given.get(name, {}).keys()]


def every_noise() -> dict[str, dict[str, Any]]:
    noises = {}
    for kind in complete("noises", NOISES):
        options = NOISES.get(kind, {})
        low, high = rate_range(kind, L, options)
        rates = {"rates": [round(low + (high - low) / 3, 3)]} if is_rated(kind, options) else {}
        noises[f"n_{kind}"] = {"kind": kind, **options, **rates}
    return noises


def every_method() -> list[dict[str, Any]]:
    found = []
    for name in complete("methods", METHODS):
        options = registry.describe("methods", name).options
        method: dict[str, Any] = {"name": name, **METHODS.get(name, {})}
        if "alpha" in options:
            method["alphas"] = [0.2]
        if "transition" in options:
            method["transition"] = ["true", "perturbed(0.1)", "estimated(dual_t)"]
        found.append(method)
    found.append({"name": "label_smoothing", "alphas": [-0.5], "warm_up": 0.5})
    return [{**m, "alphas": [0.2, -0.5]} if m == {"name": "label_smoothing", "alphas": [0.2]} else m for m in found]


@pytest.fixture(scope="module")
def of_methods(folder: Path) -> Tables:
    students = [
        {"teachers": ["cross_entropy", {"name": "forward", "transition": "estimated(dual_t)"}], "temperatures": [2]},
        {
            "teachers": ["cross_entropy"],
            "methods": [{"name": "forward", "transition": "estimated(dual_t)"}, "elr"],
            "betas": [0.5],
            "labels": ["noisy", "clean"],
        },
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_grid(grid("methods", methods=every_method(), students=students))


@pytest.fixture(scope="module")
def of_noises(folder: Path) -> Tables:
    forward = {"name": "forward", "transition": ["true", "matched"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_grid(grid("noises", noises=every_noise(), methods=["cross_entropy", forward]))


def check(tables: Tables) -> None:
    """Every named cell is there, finished, and its accuracies are shares."""
    assert len(tables.metrics) == len(tables.context["cells"]) > 0
    finished = tables.metrics[~is_hopeless(tables)]
    assert set(finished["status"]) == {"finished"}
    for column in ("test_accuracy", "train_accuracy_noisy", "memorised", "recovered"):
        assert finished[column].between(0, 1).all(), column
    assert (finished["memorised"] + finished["recovered"] <= 1).all()


def is_hopeless(tables: Tables) -> pd.Series:
    """Which cells diverged by inverting an estimated T, which from so few examples is all but singular."""
    needs = {name: registry.describe("methods", name).constants.get("NEEDS") for name in registry.names("methods")}
    inverts = tables.metrics["method"].map(needs) == "inverse"
    estimated = tables.metrics["transition"].str.startswith("estimated(")
    return inverts & estimated & (tables.metrics["status"] == "diverged") & (tables.metrics["reason"] != "")


def test_every_method_runs_to_the_page(of_methods: Tables, folder: Path) -> None:
    check(of_methods)
    assert set(of_methods.metrics["method"]) >= {method["name"] for method in every_method()} >= set(METHODS)
    page = (folder / "reports" / "methods.html").read_text(encoding="utf-8")
    assert "What a wrong transition matrix costs" in page and "The noise, estimated" in page


def test_every_noise_runs_to_the_page(of_noises: Tables, folder: Path) -> None:
    check(of_noises)
    assert set(of_noises.metrics["noise"]) == set(every_noise()) >= {f"n_{kind}" for kind in NOISES}
    assert (folder / "reports" / "noises.html").stat().st_size > 10_000


def test_the_error_of_the_matrix_in_use_is_in_the_table(of_methods: Tables) -> None:
    metrics = of_methods.metrics
    assert (metrics[metrics["transition"] == "true"]["transition_error"] == 0).all()
    perturbed = metrics[metrics["transition"] == "perturbed(0.1)"]["transition_error"].to_numpy(float)
    assert np.allclose(perturbed, 0.1)
    estimated = metrics[metrics["transition"] == "estimated(dual_t)"]["transition_error"].to_numpy(float)
    assert len(estimated) >= 5 and (estimated > 0).all() and len(set(estimated)) == 1  # one T for one replicate
    assert metrics[metrics["transition"] == ""]["transition_error"].isna().all()


def test_a_matched_twin_has_the_realised_matrix_of_its_noise(of_noises: Tables) -> None:
    rates = of_noises.metrics.groupby("noise")["realised_noise_rate"].first()
    assert rates["n_matched_twin"] == rates["n_human"] == rates["n_labels"] > 0


def one(tables: Tables, folder: Path, **columns: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return run.json and the history of the one teacher with these columns."""
    metrics = tables.metrics[tables.metrics["role"] == "teacher"]
    for column, value in columns.items():
        metrics = metrics[metrics[column] == value]
    (cell,) = metrics["cell"]
    place = folder / "results" / cell / "paired-0"
    with open(place / "history.csv", newline="", encoding="utf-8") as file:
        return json.loads((place / "run.json").read_text()), list(csv.DictReader(file))


def test_negative_smoothing_after_a_warm_up_begins_as_plain_training(of_methods: Tables, folder: Path) -> None:
    _, plain = one(of_methods, folder, method="cross_entropy")
    _, warmed = one(of_methods, folder, alpha=-0.5, options='{"warm_up":0.5}')
    _, direct = one(of_methods, folder, alpha=-0.5, options="")
    assert warmed[0]["loss"] == plain[0]["loss"] and warmed[1]["loss"] != plain[1]["loss"]
    assert direct[0]["loss"] != plain[0]["loss"]


def test_stronger_weight_decay_changes_the_recipe_and_nothing_else(of_methods: Tables, folder: Path) -> None:
    plain, _ = one(of_methods, folder, method="cross_entropy")
    decayed, _ = one(of_methods, folder, method="weight_decay")
    assert plain["recipe"]["optimiser"].pop("weight_decay") == 0.0
    assert decayed["recipe"]["optimiser"].pop("weight_decay") == 0.01
    assert plain["recipe"] == decayed["recipe"]
