"""A grid whose replicates draw their own splits: wine by a linear network, three times, from data to page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from in_process import run_grid
from scipy import stats

from smearlab.core.columns import SPLIT
from smearlab.store.npz import read_npz

CONFIG = {
    "name": "redrawn",
    "datasets": {"wine": {"kind": "wine", "test": 0.4}},
    "noises": {"symmetric": {"kind": "symmetric", "rates": [0, 0.3]}},
    "recipes": {"small": {"architecture": "linear", "epochs": 3, "batch_size": 16, "block_size": 1}},
    "methods": ["cross_entropy", {"name": "label_smoothing", "alphas": [0.4]}],
    "students": [{"teachers": ["cross_entropy"]}],
    "replicates": {"blocks": 3, "splits": "redrawn"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("redrawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        run_grid(CONFIG)
    return place


def test_every_replicate_has_its_own_test_examples_and_all_methods_of_it_the_same(folder):
    metrics = pd.read_parquet(folder / "results/redrawn/metrics.parquet")
    assert metrics.groupby("seed")[SPLIT].unique().map(list).tolist() == [[0], [1], [2]]
    assert metrics.groupby(["role", "noise_rate", "method", "seed"]).size().eq(1).all()
    tests = [
        read_npz(path, ("source_index",))["source_index"] for path in sorted(folder.glob("results/data/*/test.npz"))
    ]
    assert len(tests) == 3 and len({tuple(sorted(rows)) for rows in tests}) == 3
    assert len(list(Path(folder, "results/labels").glob("*/symmetric-*/rate=0.3/seed=*"))) == 3


def test_verdict_and_both_intervals_follow_from_the_three_paired_differences(folder):
    metrics = pd.read_parquet(folder / "results/redrawn/metrics.parquet")
    summary = pd.read_csv(folder / "results/redrawn/summary.csv")
    noisy = metrics[(metrics["role"] == "teacher") & (metrics["noise_rate"] == 0.3)]
    wide = noisy.pivot(index="seed", columns="method", values="test_accuracy").astype(float)
    gains = (wide["label_smoothing"] - wide["cross_entropy"]).to_numpy()
    row = summary[(summary["method"] == "label_smoothing") & (summary["noise_rate"] == 0.3)].iloc[0]
    assert row["n_paired"] == 3 and row["difference"] == pytest.approx(gains.mean())
    half = stats.t.ppf(0.975, 2) * gains.std(ddof=1) * np.sqrt([1 / 3, 1 / 3 + 71 / 107])
    assert row["ci_high"] - row["difference"] == pytest.approx(half[0])
    level = 1 - 0.05 / 2  # two headlines, one a rate
    wider = stats.t.ppf((1 + level) / 2, 2) * gains.std(ddof=1) * np.sqrt(1 / 3 + 71 / 107)
    assert row["ci_high_examples"] - row["difference"] == pytest.approx(wider)


def test_the_page_says_what_was_drawn_and_holds_every_network_of_a_cell(folder):
    page = (folder / "reports/redrawn.html").read_text()
    assert "drawn anew for every replicate" in page and "test-set luck" in page
    history = pd.read_parquet(folder / "results/redrawn/history.parquet")
    assert history.groupby("cell")["seed"].nunique().eq(3).all()
    assert read_npz(folder / "results/redrawn/correct.npz", ("cells",))["cells"].size == 0
