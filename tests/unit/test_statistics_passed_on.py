"""Wrong labels passed on from teacher to student, on counts made by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statistics_rows import frame, student

from smearlab.metrics._teacher import memorisation_table
from smearlab.statistics.passed_on import COLUMNS, COUNTS, passed_on

PLAIN = [(60, 20, 5, 15), (58, 20, 7, 15), (62, 18, 4, 16), (57, 23, 6, 14)]
FEWER = [(20, 20, 10, 50), (22, 17, 11, 50), (19, 22, 9, 50), (21, 19, 10, 50)]


def cell(counts, teacher_method="cross_entropy", **names):
    """Rows of a student cell with these counts (both, teacher only, student only, neither) per replicate."""
    rows = student(teacher_method, [0.8] * len(counts), **names)
    for row, (both, teacher_only, student_only, neither) in zip(rows, counts, strict=True):
        taught = np.repeat([True, True, False, False], (both, teacher_only, student_only, neither))
        own = np.repeat([True, False, True, False], (both, teacher_only, student_only, neither))
        row |= memorisation_table(own, taught)
    return rows


def of_smoothed(counts, **names):
    return cell(counts, "label_smoothing", teacher_alpha=names.pop("teacher_alpha", 0.1), **names)


def row_of(table, teacher_method):
    (found,) = table[table["teacher_method"] == teacher_method].to_dict("records")
    return found


def test_counts_are_summed_and_shares_are_means_over_replicates():
    row = row_of(passed_on(frame(cell(PLAIN))), "cross_entropy")
    assert [row[count] for count in COUNTS] == [237, 81, 22, 60]
    assert row["where_teacher_did"] == pytest.approx(np.mean([60 / 80, 58 / 78, 62 / 80, 57 / 80]))
    assert row["where_teacher_did_not"] == pytest.approx(np.mean([5 / 20, 7 / 22, 4 / 20, 6 / 20]))
    assert row["n"] == 4 and row["finding"] == "baseline" and np.isnan(row["difference"])


def test_the_odds_ratio_is_the_geometric_mean_with_a_t_interval_over_replicates():
    row = row_of(passed_on(frame(cell(PLAIN))), "cross_entropy")
    logs = [np.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))) for a, b, c, d in PLAIN]
    low, high = stats.t.interval(0.95, 3, np.mean(logs), stats.sem(logs))
    assert row["odds_ratio"] == pytest.approx(stats.gmean(np.exp(logs)))
    assert (row["odds_low"], row["odds_high"]) == pytest.approx((np.exp(low), np.exp(high)))
    assert row["odds_low"] > 1


def test_the_teacher_is_judged_by_what_its_student_shares_beside_the_plain_teacher_s_student():
    row = row_of(passed_on(frame(cell(PLAIN), of_smoothed(FEWER))), "label_smoothing")
    differences = np.array([f[0] / 100 - p[0] / 100 for f, p in zip(FEWER, PLAIN, strict=True)])
    assert row["passed_on"] == pytest.approx(0.205)
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["p_value"] == row["p_holm"] == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(
        stats.t.interval(0.95, 3, differences.mean(), stats.sem(differences))
    )
    assert row["finding"] == "fewer"
    of_taught = [f[0] / (f[0] + f[1]) - p[0] / (p[0] + p[1]) for f, p in zip(FEWER, PLAIN, strict=True)]
    assert row["where_teacher_did_difference"] == pytest.approx(np.mean(of_taught))
    low, high = stats.t.interval(0.95, 3, np.mean(of_taught), stats.sem(of_taught))
    assert (row["where_teacher_did_low"], row["where_teacher_did_high"]) == pytest.approx((low, high))
    assert row_of(passed_on(frame(cell(FEWER), of_smoothed(PLAIN))), "label_smoothing")["finding"] == "more"


def test_several_teachers_of_one_family_are_corrected_together():
    table = passed_on(frame(cell(PLAIN), of_smoothed(FEWER), of_smoothed(PLAIN[::-1], teacher_alpha=0.4)))
    found = table.set_index("teacher_alpha")
    assert found.loc[0.1, "p_holm"] == pytest.approx(2 * found.loc[0.1, "p_value"])
    assert found.loc[0.4, "finding"] == "not enough data"


def test_pairs_are_the_replicates_that_both_have():
    some = {"noise_seed": [7, 1, 2, 3]}
    smoothed = of_smoothed(FEWER)
    for entry, seed in zip(smoothed, some["noise_seed"], strict=True):
        entry["noise_seed"] = seed
    row = row_of(passed_on(frame(cell(PLAIN), smoothed)), "label_smoothing")
    assert (row["n"], row["n_paired"]) == (4, 3)
    assert row["difference"] == pytest.approx(np.mean([22 - 58, 19 - 62, 21 - 57]) / 100)


def test_too_few_replicates_decide_nothing():
    row = row_of(passed_on(frame(cell(PLAIN[:2]), of_smoothed(FEWER[:2]))), "label_smoothing")
    assert row["finding"] == "not enough data" and row["note"] == "2 paired replicates; a test needs 3"
    assert np.isnan(row["odds_low"]) and row["odds_ratio"] > 1


def test_a_teacher_that_memorised_nothing_has_no_odds_but_counts():
    row = row_of(passed_on(frame(cell(PLAIN), of_smoothed([(0, 0, 10, 90)] * 4))), "label_smoothing")
    assert row["n_odds"] == 0 and np.isnan(row["odds_ratio"]) and np.isnan(row["where_teacher_did"])
    assert row["passed_on"] == 0 and row["finding"] == "fewer"


def test_without_wrong_labels_there_is_no_row():
    assert not len(passed_on(frame(student(accuracies=[0.9] * 3, noise_rate=0.0))))
    assert list(passed_on(pd.DataFrame()).columns) == list(COLUMNS)


def test_a_diverged_replicate_on_either_side_is_not_tested():
    lost = cell(PLAIN)
    lost[0] |= {"status": "diverged", "test_accuracy": None, **dict.fromkeys(COUNTS), "memorisation_odds_ratio": None}
    row = row_of(passed_on(frame(lost, of_smoothed(FEWER))), "label_smoothing")
    assert row["finding"] == "diverged" and np.isnan(row["p_value"])


def test_without_a_plain_teacher_there_is_nothing_to_compare_with():
    assert passed_on(frame(of_smoothed(FEWER)))["finding"][0] == "no baseline"


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(random):
    rows = [*cell(PLAIN), *of_smoothed(FEWER), *of_smoothed(FEWER, noise_rate=0.4)]
    shuffled = random.sample(rows, len(rows))
    by = ["cell"]
    before, after = (passed_on(pd.DataFrame(r)).sort_values(by).reset_index(drop=True) for r in (rows, shuffled))
    pd.testing.assert_frame_equal(before, after)
