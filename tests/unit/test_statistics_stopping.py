"""Last epoch or stopped early: both rules side by side, and what stopping alone gains."""

import numpy as np
import pytest
from scipy import stats
from statistics_rows import frame, student, teacher

from smearlab.statistics.stopping import COLUMNS, stopping
from smearlab.statistics.summary import summarise

LAST = {"cross_entropy": (0.70, 0.72, 0.71, 0.73), "label_smoothing": (0.74, 0.77, 0.75, 0.76)}
STOPPED = {"cross_entropy": (0.81, 0.83, 0.80, 0.82), "label_smoothing": (0.79, 0.85, 0.80, 0.83)}


def both(rows, last, stopped, leading="last"):
    """Rows with an accuracy at either stopping rule, one of them the leading one."""
    for row, at_last, at_stopped in zip(rows, last, stopped, strict=True):
        row |= {"test_accuracy_last": at_last, "test_accuracy_selected": at_stopped}
        if row["status"] == "finished":
            row["test_accuracy"] = at_last if leading == "last" else at_stopped
    return rows


def cells(leading="last"):
    plain, smoothed = teacher(accuracies=[0] * 4), teacher("label_smoothing", [0] * 4, 0.1)
    return [both(rows, LAST[rows[0]["method"]], STOPPED[rows[0]["method"]], leading) for rows in (plain, smoothed)]


@pytest.mark.parametrize("leading", ["last", "selected"])
def test_the_summary_carries_both_rules_whichever_leads(leading):
    row = summarise(frame(*cells(leading)), margin=0.5).iloc[1]
    for rule, values in (("last", LAST), ("selected", STOPPED)):
        expected = stats.ttest_rel(values["label_smoothing"], values["cross_entropy"])
        interval = expected.confidence_interval()
        assert row[f"mean_{rule}"] == pytest.approx(np.mean(values["label_smoothing"]))
        assert row[f"difference_{rule}"] == pytest.approx(
            np.mean(values["label_smoothing"]) - np.mean(values["cross_entropy"])
        )
        assert (row[f"ci_low_{rule}"], row[f"ci_high_{rule}"]) == pytest.approx((interval.low, interval.high))
        assert row[f"p_value_{rule}"] == pytest.approx(expected.pvalue)
    assert (row["verdict_last"], row["verdict_selected"]) == ("helps", "not enough data")
    for column in ("mean", "difference", "ci_low", "ci_high", "p_value", "verdict"):
        assert row[column] == row[f"{column}_{leading}"]


def test_holm_corrects_each_rule_in_its_own_family():
    rng = np.random.default_rng(0)
    found = cells()
    for alpha in (0.2, 0.4, 0.6):
        found.append(both(teacher("label_smoothing", [0] * 4, alpha), *rng.normal(0.75, 0.02, (2, 4))))
    table = summarise(frame(*found), margin=0.5)
    others = table[table["alpha"] > 0.1]
    for rule in ("last", "selected"):
        p = others[f"p_value_{rule}"]
        assert others.loc[p.idxmin(), f"p_holm_{rule}"] == pytest.approx(min(1, 3 * p.min()))
    assert table.loc[1, ["p_holm_last", "p_holm_selected"]].isna().all()  # the headline, at both


def test_without_true_labels_there_are_no_columns_to_fill():
    found = frame(*cells()).assign(test_accuracy_noisy=0.5, test_accuracy=None)
    found[["test_accuracy_last", "test_accuracy_selected"]] = None
    row = summarise(found, margin=0.5).iloc[1]
    assert row[[column for column in row.index if column.endswith(("_last", "_selected"))]].isna().all()
    assert len(stopping(found, margin=0.5)) == 0


def test_cross_entropy_stopped_early_is_compared_with_itself_and_with_every_method_at_the_end():
    plain, smoothed = (row for _, row in stopping(frame(*cells()), margin=0.5).iterrows())
    for row, method in ((plain, "cross_entropy"), (smoothed, "label_smoothing")):
        expected = stats.ttest_rel(STOPPED["cross_entropy"], LAST[method])
        assert row["method"] == method
        assert row["difference"] == pytest.approx(np.mean(STOPPED["cross_entropy"]) - np.mean(LAST[method]))
        assert row["ci_low"] == pytest.approx(expected.confidence_interval().low)
        assert row["p_value"] == pytest.approx(expected.pvalue)
        assert (row["mean"], row["mean_stopped"]) == pytest.approx(
            (np.mean(LAST[method]), np.mean(STOPPED["cross_entropy"]))
        )
        assert (row["n"], row["verdict"]) == (4, "helps")
    assert np.isnan(plain["p_holm"]) and smoothed["p_holm"] == pytest.approx(smoothed["p_value"])


def test_a_diverged_network_is_not_compared():
    found = cells()
    found[1][2] |= {"status": "diverged", "test_accuracy": None, "test_accuracy_last": None}
    rows = stopping(frame(*found), margin=0.5)
    assert list(rows["verdict"]) == ["helps", "diverged"] and rows["p_value"].isna()[1]


def test_students_and_places_without_cross_entropy_have_no_row():
    pupil = both(student(accuracies=[0] * 4), LAST["cross_entropy"], STOPPED["cross_entropy"])
    table = stopping(frame(cells()[1], pupil), margin=0.5)
    assert len(table) == 0 and list(table.columns) == list(COLUMNS)


def waved(cell, accuracies):
    """The same rows with an accuracy where Label Wave stops."""
    return [row | {"test_accuracy_label_wave": value} for row, value in zip(cell, accuracies, strict=True)]


def test_label_wave_is_a_third_rule_with_rows_and_families_of_its_own():
    wave = (0.78, 0.80, 0.79, 0.83)
    table = stopping(frame(*(waved(cell, wave) for cell in cells())), margin=0.5)
    assert list(table["rule"]) == ["selected", "selected", "label_wave", "label_wave"]
    row = table.iloc[3]
    expected = stats.ttest_rel(wave, LAST["label_smoothing"])
    assert row["p_value"] == row["p_holm"] == pytest.approx(expected.pvalue)
    assert row["mean_stopped"] == pytest.approx(np.mean(wave))
    summary = summarise(frame(*(waved(cell, wave) for cell in cells())), margin=0.5).iloc[1]
    assert (summary["difference_label_wave"], summary["verdict_label_wave"]) == (0, "no practical difference")


def test_results_without_that_network_have_no_such_rows():
    found = frame(*cells())
    for metrics in (found, found.assign(test_accuracy_label_wave=None)):
        assert set(stopping(metrics, margin=0.5)["rule"]) == {"selected"}
        row = summarise(metrics, margin=0.5).iloc[1]
        assert row[[column for column in row.index if column.endswith("_label_wave")]].isna().all()
