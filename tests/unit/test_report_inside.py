"""What the page says of the inside of networks and of wrong labels passed on: it follows from the numbers."""

import numpy as np
import pandas as pd
import pytest
from fake_grid import fake_tables, student, teacher

from smearlab.core.registry import load
from smearlab.figures import _densities as densities
from smearlab.figures import _format as text
from smearlab.figures.confidence import GROUPS, mean_confidence
from smearlab.report.page import render
from smearlab.report.questions import passing_on
from smearlab.report.sections import every_cell, passed_on, side_by_side
from smearlab.report.sections._quantities import short
from smearlab.statistics.passed_on import COUNTS

CELLS = [
    teacher("cross_entropy"),
    teacher("label_smoothing", 0.1),
    teacher("label_smoothing", 0.8),
    teacher("forward", transition="true"),
    student("cross_entropy", 4.0),
    student("label_smoothing", 4.0, 0.1),
    student("forward", 4.0, None, "true"),
]


@pytest.fixture(scope="module")
def tables():
    return fake_tables(cells=CELLS, rates=(0.0, 0.4), seeds=4)


def row_named(table, name):
    (row,) = [row for row in table.rows if row[0].text == name]
    return dict(zip(table.columns, (field.text for field in row), strict=True))


def test_methods_side_by_side_are_means_and_deviations_at_the_highest_rate(tables):
    table = side_by_side.side_by_side(tables)
    assert table.columns[1:] == [
        "cross-entropy",
        "label smoothing α = 0.1",
        "label smoothing α = 0.8",
        "forward correction (true)",
    ]
    rows = tables.metrics.query("role == 'teacher' and noise_rate == 0.4 and method == 'cross_entropy'")
    spread = rows["logit_spread"].astype(float)
    assert row_named(table, "logit spread")["cross-entropy"] == f"{spread.mean():.2f} ± {spread.std():.2f}"
    wrong = 100 * rows["train_accuracy_wrong_part"].astype(float)
    said = row_named(table, "train accuracy on wrong labels, %")["cross-entropy"]
    assert said == f"{wrong.mean():.1f} ± {wrong.std():.1f}"
    assert "n = 4" in table.note and "40 % noise" in table.note


def test_what_was_never_measured_has_no_row(tables):
    table = side_by_side.side_by_side(tables)
    assert "agreement with its teacher" not in [row[0].text for row in table.rows]  # of students only


def test_the_sentence_goes_from_cross_entropy_to_the_headline(tables):
    (sentence,) = side_by_side.sentences(tables)
    rows = tables.metrics.query("role == 'teacher' and noise_rate == 0.4")
    means = rows.groupby(["method", "alpha"], dropna=False)["weight_norm"].mean()
    plain, smoothed = means["cross_entropy"].iloc[0], means["label_smoothing", 0.1]
    assert f"weight norm {plain:.1f} → {smoothed:.1f}" in sentence
    assert "label smoothing with α = 0.1" in sentence and "n = 4" in sentence and "not tested" in sentence


def test_every_cell_has_its_row_and_a_metric_of_one_s_own_its_column(tables):
    tables.metrics["my_own"] = 0.25
    teachers, students = every_cell.every_cell(tables)
    assert len(teachers.rows) == 8 and len(students.rows) == 6
    assert ("my_own", "0.250") in teachers.same
    assert "agreement with its teacher, %" in students.columns
    assert not {"memorised", "train_seconds", "noise_seed", *COUNTS} & {*teachers.columns, *dict(teachers.same)}


def test_a_grid_without_such_numbers_shows_no_such_table():
    tables = fake_tables(cells=CELLS[:2], clean=False, seeds=2, details=False)
    assert side_by_side.side_by_side(tables) is None and side_by_side.sentences(tables) == []
    assert side_by_side.side_by_side(fake_tables(cells=CELLS, keep=lambda cell: False)) is None


def test_a_very_large_grid_leaves_the_single_cells_to_the_file(tables, monkeypatch):
    monkeypatch.setattr(every_cell, "MOST_CELLS", 7)
    assert [table.title for table in every_cell.every_cell(tables)] == ["Students, inside"]


@pytest.mark.parametrize(("value", "said"), [(238.4, "238"), (2.384, "2.38"), (-0.0451, "−0.0451"), (0.0, "0.00")])
def test_three_digits_count(value, said):
    assert short(value) == said


def test_the_two_by_two_counts_of_every_student_are_on_the_page(tables):
    table = passed_on.passed_on(tables)
    assert len(table.rows) == len(tables.passed_on) == 3
    for row, (_, numbers) in zip(table.rows, tables.passed_on.iterrows(), strict=True):
        shown = dict(zip(table.columns, (field.text for field in row), strict=True))
        counts = [shown[name] for name in ("both", "teacher only", "student only", "neither")]
        assert counts == [f"{numbers[count]:.0f}" for count in COUNTS] and sum(map(int, counts)) == 4000
        assert shown["its interval"] == f"{numbers['odds_low']:.3g} to {numbers['odds_high']:.3g}"
        assert shown["passed on"] == text.percent(numbers["passed_on"])
    html = render(tables, [])
    assert 'id="passed-on-table"' in html and passing_on.QUESTION in html


def test_a_very_long_table_is_cut_and_says_so(tables, monkeypatch):
    monkeypatch.setattr(passed_on, "MOST_ROWS", 2)
    table = passed_on.passed_on(tables)
    assert len(table.rows) == 2 and table.note == "The first 2 of 3; all are in passed_on.csv."


def answered(*rows):
    """The reply to rows of passed_on, each (teacher method, α, finding, difference, low, high of the taught share)."""
    names = {"dataset": "digits", "noise": "symmetric", "recipe": "small", "role": "student", "method": "cross_entropy"}
    names |= {"noise_rate": 0.4, "temperature": 4.0, "beta": 0.5, "teacher_recipe": "small", "student_labels": "noisy"}
    counts = {"n": 5, "n_paired": 5, "passed_on": 0.2, "odds_ratio": 9.0, "odds_low": 4.0, "odds_high": 20.0}
    frame = pd.DataFrame(
        {**names, **counts, "teacher_method": method, "teacher_alpha": alpha, "finding": finding, "difference": d}
        | {"ci_low": d - 0.01, "ci_high": d + 0.01, "where_teacher_did_low": low, "where_teacher_did_high": high}
        for method, alpha, finding, d, low, high in rows
    )
    tables = fake_tables(cells=CELLS[:1], rates=(0.4,), seeds=1, details=False)
    object.__setattr__(tables, "passed_on", frame)
    return passing_on.reply(tables)


PLAIN = ("cross_entropy", np.nan, "baseline", np.nan, np.nan, np.nan)
FEWER = ("label_smoothing", 0.1, "fewer", -0.3, -0.05, -0.01)
MORE = ("label_smoothing", 0.1, "more", 0.3, 0.01, 0.05)
OPEN = ("forward", np.nan, "not enough data", -0.1, -0.02, 0.03)


@pytest.mark.parametrize(
    ("rows", "short", "tone"),
    [
        ([PLAIN, FEWER], "Yes", "yes"),
        ([PLAIN, FEWER, OPEN], "In part", "partly"),
        ([PLAIN, MORE], "No", "no"),
        ([PLAIN, MORE, OPEN], "Not shown", "unshown"),
        ([PLAIN, OPEN], "Cannot say", "unknown"),
        ([PLAIN], "Cannot say", "unknown"),
    ],
)
def test_the_answer_follows_from_the_findings(rows, short, tone):
    reply = answered(*rows)
    assert (reply.short, reply.tone) == (short, tone)
    assert reply.sentences[0].startswith("This grid cannot say") == (tone == "unknown")


def test_the_sentences_count_what_the_rows_say():
    said = " ".join(answered(PLAIN, FEWER, OPEN).sentences)
    assert "smoothed ones pass on fewer wrong labels in 1 of 1 noisy setting" in said
    assert "corrected ones are undecided in 1 of 1 noisy setting" in said
    assert "both memorise 20.0 % of the wrong labels, −30.0 points" in said and "−31.0 to −29.0, n = 5 pairs" in said
    assert "smoothed, a smaller share in 1 and a larger one in 0 of 1 settings" in said
    assert "corrected, a smaller share in 0 and a larger one in 0 of 1 settings" in said
    assert "In 3 of 3 student cells the odds" in said


def test_negative_smoothing_is_not_called_smoothing():
    assert answered(PLAIN, ("label_smoothing", -0.5, "more", 0.3, 0.0, 0.1)).tone == "unknown"


def test_the_mean_confidence_in_the_caption_is_that_of_the_histogram(tables):
    panel, lines = densities.highest_rate(tables, "confidence", GROUPS)
    assert panel.rate == 0.4
    found = lines[0][1]
    assert mean_confidence(found, "train_wrong") == pytest.approx(0.5)  # even over [0, 1]
    assert mean_confidence(found, "test") == pytest.approx(sum(k * (k + 0.5) for k in range(20)) / 20 / 190)
    assert np.isnan(mean_confidence(found.assign(test=np.nan), "test"))


def test_the_projection_shows_one_network_a_panel_without_noise_and_with_the_most(tables):
    drawing = load("figures", "projection").draw(tables)
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes]
    assert titles[0] == "cross-entropy" and titles.count("label smoothing α = 0.8") == 2
    points = [len(line.get_xdata()) for line in drawing.figure.axes[0].get_lines()]
    assert points == [10, 10, 10]
    tightness = tables.metrics.query("noise_rate == 0.4 and method == 'cross_entropy' and role == 'teacher'")
    assert f"cross-entropy {text.plain(tightness['feature_tightness'].mean())}" in drawing.caption
    assert "(n = 4)" in drawing.caption and "n = 1" in drawing.caption


def test_reliability_stands_beside_itself_after_scaling(tables):
    drawing = load("figures", "reliability").draw(tables)
    titles = [ax.get_title(loc="left") for ax in drawing.figure.axes]
    assert titles == ["0 % noise", "40 % noise", "after temperature scaling", "after temperature scaling"]
    means = tables.metrics.query("noise_rate == 0.4 and method == 'cross_entropy' and role == 'teacher'")
    before, after = means["test_ece"].mean(), means["test_ece_scaled"].mean()
    assert f"cross-entropy {text.percent(before)} → {text.percent(after)}" in drawing.caption
