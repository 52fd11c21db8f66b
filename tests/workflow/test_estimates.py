"""Estimated T in the workflow: only for the cells that ask, and for data whose clean labels nobody knows."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from projects import SUMMARY, TINY, Project, changed
from sklearn.datasets import load_digits

ESTIMATED = {
    "name": "forward",
    "transition": ["estimated(anchor)", "estimated(dual_t)", "estimated(dual_t, percentile=0.9)"],
}


def test_only_the_cells_that_ask_get_an_estimate(project: Project) -> None:
    methods = [*TINY["methods"], ESTIMATED]
    assert project.plan(changed(methods=methods)) == {
        "warm_up": 2,  # one a rate: the estimators read the same probabilities
        "estimate_transition": 6,
        "train_teacher": 6,
        "evaluate_teacher": 6,
        **SUMMARY,
    }


def test_how_to_estimate_concerns_nobody_else(project: Project) -> None:
    recipe = {**TINY["recipes"]["small"], "estimate": {"folds": 3, "length": 1.0}}
    assert project.plan(changed(recipes={"small": recipe})) == {}


OWN: dict[str, Any] = {
    "name": "own",
    "datasets": {"own": {"kind": "arrays", "path": "data/own.npz", "validation": 0.2, "test": 0.2}},
    "noises": {"given": {"kind": "labels"}},
    "recipes": {
        "small": {
            "architecture": {"name": "cnn", "width": 4},
            "epochs": 4,
            "batch_size": 32,
            "optimiser": {"learning_rate": 0.05},
            "block_size": 3,
            "snapshots": 1,
            "estimate": {"folds": 2, "length": 1.0},
        },
    },
    "methods": ["cross_entropy", {"name": "forward", "transition": "estimated(anchor, percentile=0.9)"}],
}


@pytest.fixture
def own(project: Project) -> Project:
    """A checkout with images and noisy labels of one's own, in which the grid has run."""
    bunch = load_digits()
    (project.folder / "data").mkdir(exist_ok=True)
    careless = np.where(np.random.default_rng(1).random(300) < 0.3, (bunch.target[:300] + 1) % 10, bunch.target[:300])
    np.savez(
        project.folder / "data" / "own.npz", images=(bunch.images[:300] * 15.9).astype(np.uint8), noisy_labels=careless
    )
    project.run(OWN)
    return project


def test_noisy_labels_alone_give_tables_an_estimate_and_a_page(own: Project) -> None:
    results = own.folder / "results"
    metrics = pd.read_parquet(results / "own" / "metrics.parquet")
    assert len(metrics) == 6 and set(metrics["status"]) == {"finished"}
    for unknown in ("test_accuracy", "memorised", "recovered", "realised_noise_rate", "transition_error"):
        assert metrics[unknown].isna().all(), unknown
    assert metrics["test_accuracy_noisy"].between(0, 1).all()
    assert metrics[metrics["method"] == "forward"]["transition_condition"].gt(1).all()
    (estimate,) = results.glob("estimates/own-*/*/*/*/*/*/anchor-percentile=0.9.json")
    entries = json.loads(estimate.read_text())["replicates"]
    assert len({json.dumps(entry["transition"]) for entry in entries}) == 3  # T belongs to the replicate
    assert all(0 < entry["noise_rate"] < 1 and entry["errors"] is None for entry in entries)
    page = (own.folder / "reports" / "own.html").read_text(encoding="utf-8")
    assert "anchor, percentile=0.9" in page
    assert "The noise, estimated" in page and "No clean labels are known for own" in page
    assert own.plan(OWN) == {}


def test_what_needs_clean_labels_is_refused_before_anything_runs(project: Project) -> None:
    Path(project.folder / "data").mkdir(exist_ok=True)
    np.savez(project.folder / "data" / "own.npz", images=np.zeros((40, 8, 8), np.uint8), noisy_labels=np.arange(40) % 4)
    methods = ["cross_entropy", {"name": "forward", "transition": "true"}]
    done = project.snakemake("--dry-run", "--configfile", project.write({**OWN, "methods": methods}))
    assert done.returncode != 0 and "Traceback" not in done.stderr
    line = "config: methods: forward-transition=true: data set own has no clean labels, so its T is unknown; "
    assert line + "use transition estimated(NAME) or alpha" in done.stdout + done.stderr
