"""Classes of 747 and 70: the measure decides the verdicts, the choice and the epoch, and the accuracy stands beside."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_process import run_grid
from sklearn.datasets import load_digits

from smearlab.store.measure import column_of
from smearlab.store.tables import Tables

MEASURE = "balanced_accuracy"


def grid(**changes: Any) -> dict[str, Any]:
    recipe = {
        "architecture": {"name": "mlp", "width": 8, "layers": 1},
        "epochs": 4,
        "batch_size": 16,
        "optimiser": {"learning_rate": 0.05},
        "block_size": 3,
        "snapshots": 2,
        "checkpoint": "selected",
    }
    return {
        "name": "unbalanced",
        "measure": MEASURE,
        "datasets": {"two": {"kind": "features", "path": "two.npz", "test": 0.4}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "recipes": {"plain": recipe, "weighted": recipe | {"class_weights": "balanced"}},
        "methods": ["cross_entropy", {"name": "label_smoothing", "alphas": [0.8]}],
        **changes,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eights among zeros, each row made of a digit and shaken, as digits has fewer than 747 of either."""
    bunch, rng = load_digits(), np.random.default_rng(0)
    labels = np.repeat([0, 1], [747, 70])
    chosen = [rng.choice(np.flatnonzero(bunch.target == digit), n) for digit, n in ((0, 747), (8, 70))]
    features = bunch.data[np.concatenate(chosen)] + rng.normal(0, 4, (817, 64))
    folder = tmp_path_factory.mktemp("unbalanced")
    np.savez(folder / "two.npz", features=features, labels=labels, class_names=["zero", "eight"])
    return folder


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_grid(grid())


@pytest.fixture(scope="module")
def metrics(tables: Tables, folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "results" / "unbalanced" / "metrics.parquet")


def test_the_measure_is_what_is_compared(tables: Tables, metrics: pd.DataFrame) -> None:
    assert set(tables.summary["measure"]) == {"test_balanced_accuracy"}
    means = metrics.groupby(["recipe", "method"])["test_balanced_accuracy"].mean()
    for _, row in tables.summary.iterrows():
        assert row["mean"] == pytest.approx(means[row["recipe"], row["method"]])
    assert set(tables.choice["measure"]) == {"test_balanced_accuracy"}
    assert "test_accuracy" in metrics and not np.allclose(metrics["test_accuracy"], metrics["test_balanced_accuracy"])


def test_the_difference_is_that_of_the_measure(tables: Tables, metrics: pd.DataFrame) -> None:
    one = metrics[metrics["recipe"] == "plain"].set_index(["method", "seed"])["test_balanced_accuracy"]
    smoothed = tables.summary[(tables.summary["recipe"] == "plain") & (tables.summary["alpha"] == 0.8)].iloc[0]
    assert smoothed["difference"] == pytest.approx((one["label_smoothing"] - one["cross_entropy"]).mean())
    selected = metrics[(metrics["recipe"] == "plain") & (metrics["method"] == "label_smoothing")]
    assert smoothed["mean_selected"] == pytest.approx(selected["test_balanced_accuracy_selected"].mean())


def test_a_class_that_weighs_the_same_is_found_more_often(metrics: pd.DataFrame) -> None:
    recall = metrics[metrics["method"] == "cross_entropy"].groupby("recipe")["test_lowest_recall"].mean()
    assert recall["weighted"] > recall["plain"]


def test_the_page_names_the_measure_and_shows_what_stands_beside(tables: Tables, folder: Path) -> None:
    page = (folder / "reports" / "unbalanced.html").read_text(encoding="utf-8")
    for said in ("balanced accuracy, %", "share of the largest class", "recall of the worst class", "eight (8"):
        assert said in page, said
    assert "points of accuracy" not in page and "binomial standard error" not in page


def test_judged_by_accuracy_the_classes_stand_beside_it(tables: Tables, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_grid(grid(name="by_accuracy", measure="accuracy"))
    page = (folder / "reports" / "by_accuracy.html").read_text(encoding="utf-8")
    for said in ("balanced accuracy", "share of the largest class", "recall of the worst class", "eight (8"):
        assert said in page, said


def test_columns_of_a_measure_are_named_alike(metrics: pd.DataFrame) -> None:
    for column in ("test_accuracy", "test_accuracy_noisy", "choice_accuracy_noisy", "best_on_test_accuracy"):
        assert {column_of(column, m) for m in ("accuracy", "balanced_accuracy", "macro_f1")} <= set(metrics)
