"""The figure of what a wrong T costs: its numbers on tables whose numbers are known."""

import numpy as np
import pandas as pd
import pytest
from fake_grid import fake_tables, teacher

from smearlab.figures import estimator_error
from smearlab.figures._cells import select
from smearlab.figures._save import to_svg

ERRORS = {"true": 0.0, "perturbed(0.2)": 0.2, "estimated(anchor)": 0.07}
ACCURACIES = {"true": 0.9, "perturbed(0.2)": 0.8, "estimated(anchor)": 0.88}
CELLS = [
    teacher("cross_entropy"),
    teacher("label_smoothing", 0.1),
    teacher("label_smoothing", 0.4),
    *(teacher("forward", transition=spec) for spec in ERRORS),
]


def tables(cells=CELLS, **changes):
    made = fake_tables(cells=cells, rates=(0.4,), **changes)
    metrics = made.metrics
    metrics["transition_error"] = pd.array(metrics["transition"].map(ERRORS), dtype="Float64")
    metrics["accuracy"] = metrics["transition"].map(ACCURACIES).fillna(0.7) + 0.001 * metrics["seed"]
    metrics.loc[metrics["alpha"] == 0.4, "accuracy"] = 0.85
    return made


def test_errors_and_accuracies_are_the_means_over_replicates() -> None:
    (panel,), _ = select(tables(), "teacher")
    rows = estimator_error.corrected(panel).set_index("transition")
    for spec, error in ERRORS.items():
        assert rows.loc[spec, "error"] == pytest.approx(error)
        assert rows.loc[spec, "accuracy"] == pytest.approx(ACCURACIES[spec] + 0.002)
        assert rows.loc[spec, "n"] == 5
    assert estimator_error.zero(rows.reset_index()) == pytest.approx(0.902)
    assert estimator_error.best_smoothing(panel) == pytest.approx((0.4, 0.85))


def test_the_caption_counts_what_beats_smoothing() -> None:
    drawing = estimator_error.draw(tables())
    assert "40 % noise: 1 of 1." in drawing.caption and "n = 5" in drawing.caption
    assert to_svg(drawing).rstrip().endswith("</svg>")


@pytest.mark.parametrize(
    "cells",
    [
        [teacher("cross_entropy"), teacher("label_smoothing", 0.1)],
        [teacher("cross_entropy"), teacher("forward", transition="true")],
        [teacher("forward", transition="estimated(anchor)")],
    ],
)
def test_without_a_wrong_matrix_and_a_true_one_there_is_no_figure(cells) -> None:
    assert estimator_error.draw(tables(cells)) is None


def test_an_unknown_error_is_not_drawn() -> None:
    made = tables()
    made.metrics["transition_error"] = pd.array(np.full(len(made.metrics), None), dtype="Float64")
    assert estimator_error.draw(made) is None


def test_without_smoothing_there_is_no_line_to_beat() -> None:
    drawing = estimator_error.draw(tables([c for c in CELLS if c["method"] != "label_smoothing"]))
    assert "above it" not in drawing.caption and drawing.caption.endswith(".")
