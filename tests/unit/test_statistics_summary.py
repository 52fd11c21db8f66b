import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statistics_rows import frame, student, teacher

from smearlab.core.errors import UserError
from smearlab.statistics import families
from smearlab.statistics.families import holm
from smearlab.statistics.interaction import interaction
from smearlab.statistics.selection import choose_on_validation
from smearlab.statistics.summary import COLUMNS, summarise
from smearlab.statistics.variance import variance_split

PLAIN = (0.80, 0.82, 0.78, 0.81, 0.79)
BETTER = (0.84, 0.85, 0.83, 0.85, 0.82)
MIXED = (0.83, 0.79, 0.80, 0.79, 0.82)


def summary(*cells, margin=0.5, **options):
    return summarise(frame(*cells), margin=margin, **options)


def only(table, **names):
    for column, value in names.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def in_order(table):
    return table.sort_values([c for c in ("noise_rate", "method", "alpha") if c in table], ignore_index=True)


def smoothed(accuracies, alpha=0.1, **columns):
    return teacher("label_smoothing", accuracies, alpha, **columns)


def test_a_cell_is_compared_with_cross_entropy_by_the_paired_t_test():
    row = only(summary(teacher(accuracies=PLAIN), smoothed(BETTER)), alpha=0.1)
    expected = stats.ttest_rel(BETTER, PLAIN)
    interval = expected.confidence_interval(0.95)
    assert row["difference"] == pytest.approx(np.mean(BETTER) - np.mean(PLAIN))
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high))
    assert (row["n"], row["n_diverged"], row["n_paired"]) == (5, 0, 5)
    assert row["mean"] == pytest.approx(0.838)
    assert row["std"] == pytest.approx(math.sqrt(0.00068 / 4))
    assert (row["verdict"], row["baseline"], row["margin"]) == ("helps", "cross_entropy", 0.5)


def test_the_interval_by_hand():
    # differences 1, 2, 3 points: mean 2, standard deviation 1, t(0.975; 2) = 4.302653, half-width 2.484138
    row = only(summary(teacher(accuracies=(0.5, 0.5, 0.5)), smoothed((0.51, 0.52, 0.53))), alpha=0.1)
    assert row["difference"] == pytest.approx(0.02)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-0.00484138, 0.04484138), abs=1e-8)
    # t = 2√3 with two degrees of freedom: p = 1 - t / √(2 + t²)
    assert row["p_value"] == pytest.approx(1 - math.sqrt(12 / 14))


def test_the_baseline_has_no_difference():
    row = only(summary(teacher(accuracies=PLAIN), smoothed(BETTER)), method="cross_entropy")
    assert row["verdict"] == "baseline"
    assert row["baseline"] == "cross_entropy"
    assert row[["difference", "ci_low", "ci_high", "p_value", "p_holm"]].isna().all()
    assert not row["primary"]


def test_worse_hurts():
    assert only(summary(teacher(accuracies=BETTER), smoothed(PLAIN)), alpha=0.1)["verdict"] == "hurts"


def test_a_wide_interval_is_not_enough_data():
    row = only(summary(teacher(accuracies=PLAIN), smoothed(MIXED)), alpha=0.1)
    assert row["p_value"] > 0.05
    assert row["verdict"] == "not enough data"


@pytest.mark.parametrize("margin, verdict", [(0.30, "no practical difference"), (0.29, "not enough data")])
def test_equivalence_needs_the_90_percent_interval_within_the_margin(margin, verdict):
    # differences ±0.2, ±0.1, 0.1 points: mean 0.02, sd 0.164317, t(0.95; 4) = 2.131847: ends -0.136659, 0.176659
    differences = np.array([0.002, -0.002, 0.001, -0.001, 0.001])
    end = 0.0002 + 2.131846786 * math.sqrt(np.var(differences, ddof=1) / 5)
    scale = 0.00295 / end
    row = only(summary(teacher(accuracies=PLAIN), smoothed(PLAIN + scale * differences), margin=margin), alpha=0.1)
    assert row["verdict"] == verdict


def test_equivalence_comes_before_helps():
    barely = np.add(PLAIN, [0.0010, 0.0011, 0.0009, 0.0010, 0.0012])
    row = only(summary(teacher(accuracies=PLAIN), smoothed(barely)), alpha=0.1)
    assert row["p_value"] < 0.001
    assert row["verdict"] == "no practical difference"


@pytest.mark.parametrize("n, verdict", [(1, "not enough data"), (2, "not enough data"), (3, "helps")])
def test_fewer_than_three_replicates_are_not_tested(n, verdict):
    better = (0.84, 0.865, 0.82)
    row = only(summary(teacher(accuracies=PLAIN[:n]), smoothed(better[:n])), alpha=0.1)
    assert row["verdict"] == verdict
    assert math.isnan(row["p_value"]) == (n < 3)
    assert row["difference"] == pytest.approx(np.mean(np.subtract(better[:n], PLAIN[:n])))
    assert (row["note"] == f"{n} paired replicates; a test needs 3") == (n < 3)


@pytest.mark.parametrize("side", ["cell", "baseline"])
def test_a_diverged_replicate_of_either_side_forbids_the_test(side):
    plain, better = list(PLAIN), list(BETTER)
    (better if side == "cell" else plain)[1] = None
    table = summary(teacher(accuracies=plain), smoothed(better))
    row = only(table, alpha=0.1)
    assert row["verdict"] == "diverged"
    assert row[["ci_low", "ci_high", "p_value", "p_holm", "detectable"]].isna().all()
    assert row["difference"] == pytest.approx(np.mean(np.subtract(BETTER, PLAIN)[[0, 2, 3, 4]]))
    here, there = (1, 0) if side == "cell" else (0, 1)
    assert row["note"] == f"diverged: {here} of 5 here, {there} of 5 in the baseline"
    assert (row["n"], row["n_diverged"]) == (5, here)
    finished = [a for a in better if a is not None]
    assert (row["mean"], row["std"]) == pytest.approx((np.mean(finished), np.std(finished, ddof=1)))
    assert only(table, method="cross_entropy")["verdict"] == "baseline"


def test_a_cell_of_which_nothing_finished():
    row = only(summary(teacher(accuracies=PLAIN), smoothed([None] * 5)), alpha=0.1)
    assert (row["n"], row["n_diverged"], row["verdict"]) == (5, 5, "diverged")
    assert row[["mean", "std", "difference"]].isna().all()


def test_divergence_comes_before_too_few_replicates():
    assert only(summary(teacher(accuracies=PLAIN[:2]), smoothed((0.9, None))), alpha=0.1)["verdict"] == "diverged"


def test_a_diverged_cell_without_a_baseline_is_diverged():
    row = only(summary(smoothed((0.8, None, 0.8))), alpha=0.1)
    assert (row["verdict"], row["note"]) == ("diverged", "diverged: 1 of 3 here")


def test_one_computation_under_two_names_is_identical():
    table = summary(teacher(accuracies=PLAIN, cell="x"), teacher("forward", PLAIN, transition="matched", cell="x"))
    row = only(table, method="forward")
    assert (row["verdict"], row["difference"]) == ("identical", 0)
    assert row[["ci_low", "ci_high", "p_value", "p_holm"]].isna().all()


def test_two_identical_replicates_are_still_not_enough():
    table = summary(teacher(accuracies=PLAIN[:2], cell="x"), smoothed(PLAIN[:2], cell="x"))
    assert only(table, alpha=0.1)["verdict"] == "not enough data"


@pytest.mark.parametrize(
    "shift, verdict", [(0, "no practical difference"), (0.004, "no practical difference"), (0.012, "not enough data")]
)
def test_equal_differences_have_no_interval(shift, verdict):
    row = only(summary(teacher(accuracies=PLAIN), smoothed(np.array(PLAIN) + shift)), alpha=0.1)
    assert row["verdict"] == verdict
    assert row[["ci_low", "ci_high", "p_value"]].isna().all()
    assert row["difference"] == pytest.approx(shift)
    assert row["note"] == f"all 5 differences are {100 * shift:+.2f} points: no spread to test"


def test_holm_by_hand_and_the_headline_stands_outside():
    rng = np.random.default_rng(0)
    arms = {alpha: rng.normal(0.80 + alpha / 10, 0.01, 5) for alpha in (0.1, 0.2, 0.4, 0.6)}
    table = summary(teacher(accuracies=PLAIN), *(smoothed(values, alpha) for alpha, values in arms.items()))
    p = {alpha: stats.ttest_rel(values, PLAIN).pvalue for alpha, values in arms.items()}
    headline = only(table, alpha=0.1)
    assert headline["primary"]
    assert math.isnan(headline["p_holm"])
    assert headline["p_value"] == pytest.approx(p.pop(0.1))
    running = 0.0
    for rank, (alpha, value) in enumerate(sorted(p.items(), key=lambda item: item[1])):
        running = max(running, min(1.0, (3 - rank) * value))
        assert only(table, alpha=alpha)["p_holm"] == pytest.approx(running)
        assert not only(table, alpha=alpha)["primary"]


def test_the_verdict_counts_holm_for_the_others_and_the_raw_p_for_the_headline():
    once = np.add(PLAIN, [0.030, 0.005, 0.032, 0.004, 0.022])
    p = stats.ttest_rel(once, PLAIN).pvalue
    assert 0.025 < p < 0.05
    others = [smoothed(once + 1e-6 * alpha, alpha) for alpha in (0.2, 0.4)]
    table = summary(teacher(accuracies=PLAIN), smoothed(once), *others)
    assert list(table["verdict"]) == ["baseline", "helps", "not decided", "not decided"]


def test_a_family_is_one_data_set_noise_rate_recipe_and_role():
    settings_ = [{}, {"noise_rate": 0.4}, {"noise": "pair_flip"}, {"recipe": "large"}, {"dataset": "mnist"}]
    cells = [c for s in settings_ for c in (teacher(accuracies=PLAIN, **s), teacher("gce", BETTER, **s))]
    table = summary(*cells)
    tested = table[table["method"] == "gce"]
    assert len(tested) == 5
    assert np.allclose(tested["p_holm"], tested["p_value"], rtol=1e-12)


def test_untested_cells_do_not_enlarge_a_family():
    table = summary(
        teacher(accuracies=PLAIN, cell="x"),
        teacher("gce", BETTER),
        teacher("forward", PLAIN, transition="true", cell="x"),
        teacher("elr", (0.9, None, 0.9, 0.9, 0.9)),
        teacher("backward", (0.9, 0.95), transition="true"),
    )
    row = only(table, method="gce")
    assert row["p_holm"] == pytest.approx(row["p_value"])


def test_one_computation_is_one_test_whatever_its_names():
    forward = [teacher("forward", BETTER, transition=t, cell="f") for t in ("true", "matched")]
    table = summary(teacher(accuracies=PLAIN), *forward, teacher("backward", MIXED, transition="true"))
    p_forward, p_backward = (stats.ttest_rel(values, PLAIN).pvalue for values in (BETTER, MIXED))
    assert list(table["p_holm"][1:]) == pytest.approx([2 * p_forward, 2 * p_forward, p_backward])


@pytest.mark.parametrize("added", ["gce", "weight_decay", "forward", "one_of_a_user"])
def test_a_method_of_another_kind_changes_no_verdict(added):
    sweep = [smoothed(np.add(BETTER, alpha / 100), alpha) for alpha in (0.1, 0.2, 0.4)]
    before = summary(teacher(accuracies=PLAIN), *sweep)
    after = summary(teacher(accuracies=PLAIN), *sweep, teacher(added, MIXED))
    pd.testing.assert_frame_equal(before, after.iloc[:4])


def test_the_students_of_a_kind_of_teachers_are_one_family():
    pupils = [student("label_smoothing", np.add(BETTER, a / 100), a) for a in (0.1, 0.2, 0.4)]
    before = summary(student(accuracies=PLAIN), *pupils)
    after = summary(student(accuracies=PLAIN), *pupils, student("forward", MIXED, teacher_transition="true"))
    pd.testing.assert_frame_equal(before, after.iloc[:4])
    assert min(before["p_holm"][2:]) == pytest.approx(2 * min(before["p_value"][2:]))


def test_an_alias_of_the_headline_is_the_headline_too():
    alias = teacher("forward", BETTER, transition="alpha", cell="x")
    table = summary(teacher(accuracies=PLAIN), smoothed(BETTER, cell="x"), alias, teacher("gce", MIXED))
    assert list(table["primary"]) == [False, True, True, False]
    assert list(table["p_holm"].isna()) == [True, True, True, False]
    assert table["verdict"][1] == table["verdict"][2]


@pytest.mark.parametrize(
    "alphas, chosen", [((0.1, 0.2), 0.1), ((0.4, 0.2), 0.2), ((-0.1, 0.4), 0.4), ((0.15, 0.05), 0.05)]
)
def test_the_default_headline_is_the_positive_smoothing_closest_to_a_tenth(alphas, chosen):
    table = summary(teacher(accuracies=PLAIN), teacher("gce", MIXED), *(smoothed(BETTER, a) for a in alphas))
    assert list(table[table["primary"]]["alpha"]) == [chosen]


def test_there_is_one_headline_per_rate_and_none_without_smoothing():
    cells = [c for r in (0.0, 0.4) for c in (teacher(accuracies=PLAIN, noise_rate=r), smoothed(BETTER, noise_rate=r))]
    table = summary(*cells, teacher(accuracies=PLAIN), teacher("gce", BETTER))
    assert list(table[table["primary"]]["noise_rate"]) == [0.0, 0.4]


def test_the_headlines_of_a_page_are_corrected_for_their_number():
    rng = np.random.default_rng(2)
    arms = {rate: rng.normal(0.83, 0.02, 5) for rate in (0.1, 0.2, 0.4)}
    cells = [(teacher(accuracies=PLAIN, noise_rate=r), smoothed(a, noise_rate=r)) for r, a in arms.items()]
    table = summary(*(rows for pair in cells for rows in pair))
    headlines = table[table["primary"]]
    p = sorted(stats.ttest_rel(values, PLAIN).pvalue for values in arms.values())
    expected = np.maximum.accumulate([min(1, (3 - k) * value) for k, value in enumerate(p)])
    assert sorted(headlines["p_holm"]) == pytest.approx(list(expected))
    for _, row in headlines.iterrows():
        assert (row["verdict"] == "helps") == (row["p_holm"] < 0.05)


def test_fourteen_headlines_without_any_effect_seldom_give_a_false_word():
    """200 made grids of 14 rates each: a word in 5 % of them, where the raw tests gave one in half."""
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(200):
        p = stats.ttest_1samp(rng.normal(size=(14, 5)), 0, axis=1).pvalue
        tests = {hypothesis_of(k): float(value) for k, value in enumerate(p)}
        false += min(holm(tests).values()) < 0.05
    assert false <= 18  # 10 are expected; more than 18 have a chance below 1 %


def hypothesis_of(number):
    return (families.HEADLINES, (number,))


def test_a_named_headline():
    cells = (teacher(accuracies=PLAIN), smoothed(BETTER), teacher("forward", MIXED, transition="true"))
    primary = {"method": "forward", "alpha": None, "transition": "true"}
    assert list(summary(*cells, primary=primary)["primary"]) == [False, False, True]
    assert not summary(*cells, primary={"method": "forward", "transition": "matched"})["primary"].any()
    assert list(summary(*cells, primary={"method": "label_smoothing", "alpha": None})["primary"]) == [
        False,
        True,
        False,
    ]
    with pytest.raises(UserError, match=r"primary: unknown column 'methods'; allowed: method, alpha"):
        summary(*cells, primary={"methods": "forward"})


def distilled(teacher_accuracies=MIXED, **columns):
    return student("label_smoothing", teacher_accuracies, 0.1, **columns)


def test_a_student_is_compared_with_the_same_student_of_the_plain_teacher():
    table = summary(
        teacher(accuracies=PLAIN),
        smoothed(MIXED),
        *(student(accuracies=np.array(PLAIN) + t / 100, temperature=t) for t in (1.0, 4.0)),
        *(distilled(np.array(BETTER) + t / 1000, temperature=t) for t in (1.0, 4.0)),
    )
    row = only(table, teacher_method="label_smoothing", temperature=4.0)
    reference = stats.ttest_rel(np.array(BETTER) + 0.004, np.array(PLAIN) + 0.04)
    assert row["p_value"] == pytest.approx(reference.pvalue)
    assert row["baseline"] == (
        "student of cross_entropy (cross_entropy, teacher recipe small, temperature 4, beta 0.5, labels noisy, "
        "view same)"
    )
    assert list(table["verdict"][2:4]) == ["baseline", "baseline"]
    to_teacher = stats.ttest_rel(np.array(BETTER) + 0.004, MIXED)
    assert row["difference_to_teacher"] == pytest.approx(np.mean(BETTER) + 0.004 - np.mean(MIXED))
    ends = to_teacher.confidence_interval()
    assert (row["ci_low_to_teacher"], row["ci_high_to_teacher"]) == pytest.approx((ends.low, ends.high))
    assert row["difference_to_plain"] == pytest.approx(np.mean(BETTER) + 0.004 - np.mean(PLAIN))
    ends = stats.ttest_rel(np.array(BETTER) + 0.004, PLAIN).confidence_interval()
    assert (row["ci_low_to_plain"], row["ci_high_to_plain"]) == pytest.approx((ends.low, ends.high))
    teachers = table[table["role"] == "teacher"]
    assert teachers[["difference_to_teacher", "difference_to_plain"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "change", [{"beta": 1.0}, {"student_labels": "clean"}, {"view": "fixed"}, {"method": "gce"}, {"recipe": "large"}]
)
def test_a_student_that_differs_otherwise_is_no_baseline(change):
    row = only(summary(student(accuracies=PLAIN, **change), distilled()), teacher_method="label_smoothing")
    assert row["verdict"] == "no baseline"
    assert row[["baseline", "difference", "p_value"]].isna().all()


def test_a_smaller_student_finds_its_larger_teacher_and_its_own_plain_network():
    small = {"recipe": "tiny", "arch": "resnet8"}
    table = summary(teacher(accuracies=PLAIN), teacher(accuracies=MIXED, **small), student(accuracies=BETTER, **small))
    row = only(table, role="student")
    assert row["difference_to_teacher"] == pytest.approx(np.mean(BETTER) - np.mean(PLAIN))
    assert row["difference_to_plain"] == pytest.approx(np.mean(BETTER) - np.mean(MIXED))


def test_the_headline_of_the_students_is_the_plainest_student_of_the_headline_teacher():
    variants = [{"temperature": 10.0}, {"method": "bootstrap", "temperature": 4.0}]
    variants += [{"temperature": 4.0, "student_labels": "clean"}, {"temperature": 4.0}]
    variants += [{"temperature": 4.0, "beta": 0.1}]
    table = summary(
        *(student(accuracies=PLAIN, **variant) for variant in variants),
        *(distilled(**variant) for variant in variants),
        student("label_smoothing", BETTER, 0.4, temperature=1.0),
    )
    assert list(table.index[table["primary"]]) == [8]


def test_a_baseline_is_never_the_headline():
    table = summary(student(accuracies=PLAIN), student("gce", BETTER), primary={"temperature": 2.0})
    assert list(table["primary"]) == [False, True]


def test_without_the_baseline_there_is_no_difference():
    row = only(summary(smoothed(BETTER)), alpha=0.1)
    assert row["verdict"] == "no baseline"
    assert row[["baseline", "difference", "ci_low", "p_value"]].isna().all()
    assert row["mean"] == pytest.approx(0.838)


def test_only_shared_replicates_are_paired():
    plain = {(0, 0): 0.80, (1, 1): 0.81, (2, 2): 0.79, (3, 3): 0.99}
    better = {(4, 4): 0.1, (2, 2): 0.82, (1, 1): 0.83, (0, 0): 0.84}
    row = only(summary(teacher(accuracies=plain), smoothed(better)), alpha=0.1)
    assert (row["n"], row["n_paired"]) == (4, 3)
    assert row["p_value"] == pytest.approx(stats.ttest_rel((0.84, 0.83, 0.82), (0.80, 0.81, 0.79)).pvalue)


def test_a_crossed_design_is_tested_on_its_means_per_noise_seed():
    rng = np.random.default_rng(3)
    plain, better = rng.normal(0.8, 0.01, (4, 3)), rng.normal(0.83, 0.01, (4, 3))
    tables = [{(n, t): a[n, t] for n in range(4) for t in range(3)} for a in (plain, better)]
    row = only(summary(teacher(accuracies=tables[0]), smoothed(tables[1])), alpha=0.1)
    expected = stats.ttest_rel(better.mean(1), plain.mean(1))
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["ci_low"] == pytest.approx(expected.confidence_interval().low)
    assert (row["n"], row["n_paired"]) == (12, 4)
    assert row["std"] == pytest.approx(better.std(ddof=1))


def test_one_noise_seed_with_many_training_seeds_is_paired():
    tables = [{(0, t): a for t, a in enumerate(values)} for values in (PLAIN, BETTER)]
    row = only(summary(teacher(accuracies=tables[0]), smoothed(tables[1])), alpha=0.1)
    assert row["n_paired"] == 5
    assert row["p_value"] == pytest.approx(stats.ttest_rel(BETTER, PLAIN).pvalue)


def test_two_noise_seeds_are_too_few_however_many_networks_they_have():
    tables = [{(n, t): v + n / 100 + t / 1000 for n in (0, 1) for t in range(9)} for v in (0.7, 0.8)]
    assert only(summary(teacher(accuracies=tables[0]), smoothed(tables[1])), alpha=0.1)["verdict"] == "not enough data"


def test_noisy_accuracy_counts_only_where_a_data_set_has_no_clean_one():
    table = frame(teacher(accuracies=PLAIN), smoothed(BETTER))
    unknown = table.assign(test_accuracy_noisy=table["test_accuracy"] - 0.2, test_accuracy=None, dataset="own")
    known = table.assign(test_accuracy_noisy=0.0)
    both = summarise(pd.concat([known, unknown]), margin=0.5)
    assert list(both["measure"]) == ["test_accuracy"] * 2 + ["test_accuracy_noisy"] * 2
    assert both["mean"][3] == pytest.approx(0.638)
    assert both["p_value"][3] == pytest.approx(both["p_value"][1])


def test_rates_that_are_null_are_one_family():
    table = summary(teacher(accuracies=PLAIN, noise_rate=None), smoothed(BETTER, noise_rate=None))
    assert list(table["verdict"]) == ["baseline", "helps"]


def test_an_empty_table_gives_an_empty_summary():
    for empty in (pd.DataFrame(), frame(smoothed(BETTER)).iloc[:0]):
        table = summarise(empty, margin=0.5)
        assert len(table) == 0
        assert list(table.columns) == list(COLUMNS)


def test_every_named_cell_has_a_row_when_the_grid_is_given():
    grid = frame(smoothed((0,), 0.1), teacher(accuracies=(0,)), smoothed((0,), 0.2), teacher("gce", (0,)))
    table = summary(teacher(accuracies=PLAIN), smoothed(BETTER, 0.2), cells=grid)
    assert list(table["verdict"]) == ["missing", "baseline", "helps", "missing"]
    assert list(table["n"]) == [0, 5, 5, 0]
    assert list(table["primary"]) == [True, False, False, False]
    assert table["p_holm"][2] == pytest.approx(table["p_value"][2])


def test_types_do_not_depend_on_the_content():
    kinds = [summary(teacher(accuracies=PLAIN)).dtypes, summary(student(accuracies=PLAIN)).dtypes]
    kinds += [summarise(pd.DataFrame(), margin=1.0).dtypes]
    assert all(kind.equals(kinds[0]) for kind in kinds)


def test_nullable_column_types_are_read_alike():
    plain = frame(teacher(accuracies=PLAIN), smoothed(BETTER), distilled(), student(accuracies=PLAIN))
    pd.testing.assert_frame_equal(summarise(plain.convert_dtypes(), margin=0.5), summarise(plain, margin=0.5))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"status": "running"}, r"label_smoothing 0.1: status 'running'; allowed: finished, diverged"),
        ({"test_accuracy": None}, r"replicate \(4, 4\): finished, but test_accuracy is null"),
        ({"noise_seed": 3, "seed": 3}, r"replicate \(3, 3\): two rows, one is allowed"),
    ],
)
def test_rows_that_mean_nothing_are_refused(change, message):
    cells = [*teacher(accuracies=PLAIN), *smoothed(BETTER)]
    cells[-1] |= change
    with pytest.raises(UserError, match=message):
        summary(cells)


accuracies = st.lists(st.integers(0, 200).map(lambda k: k / 250), min_size=5, max_size=5)
NUMBERS = ["difference", "ci_low", "ci_high", "p_value", "p_holm"]


@settings(max_examples=40, deadline=None)
@given(st.lists(accuracies, min_size=3, max_size=3), st.integers(1, 49).map(lambda k: k / 250))
def test_a_constant_added_to_every_accuracy_changes_no_comparison(values, constant):
    def table(shift):
        cells = (np.array(v) + shift for v in values)
        return summary(teacher(accuracies=next(cells)), smoothed(next(cells)), smoothed(next(cells), 0.4))

    before, after = table(0), table(constant)
    assert np.allclose(before[NUMBERS], after[NUMBERS], atol=1e-9, equal_nan=True)
    assert np.allclose(before["detectable"], after["detectable"], equal_nan=True)
    assert np.allclose(before["mean"] + constant, after["mean"])


@settings(max_examples=40, deadline=None)
@given(st.lists(accuracies, min_size=4, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(values, random):
    cells = [teacher(accuracies=values[0]), student(accuracies=values[1]), distilled(values[2])]
    table = frame(*cells, smoothed(values[3]), smoothed(values[2], 0.4), distilled(values[0], temperature=1.0))
    order = list(range(len(table)))
    random.shuffle(order)
    before, after = summarise(table, margin=0.5), summarise(table.iloc[order], margin=0.5)
    after = after.set_index("cell").loc[before["cell"]].reset_index()[before.columns]
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.parametrize("analysis", [variance_split, interaction, choose_on_validation])
def test_no_other_analysis_depends_on_the_order_either(analysis):
    rng = np.random.default_rng(0)
    cells = []
    for rate in (0.2, 0.4):
        for make in (teacher, smoothed):
            values = {(n, t): rng.uniform() for n in range(3) for t in range(2)}
            cells.append(make(accuracies=values, noise_rate=rate))
    table = frame(*cells).assign(validation_accuracy_noisy=rng.uniform(size=24).round(1))
    for _ in range(5):
        before, after = (in_order(analysis(rows)) for rows in (table, table.iloc[rng.permutation(24)]))
        pd.testing.assert_frame_equal(before, after, check_exact=True)


@settings(max_examples=40, deadline=None)
@given(accuracies, accuracies)
def test_swapping_the_sides_flips_the_sign(one, other):
    there = only(summary(teacher(accuracies=one), smoothed(other)), alpha=0.1)
    back = only(summary(teacher(accuracies=other), smoothed(one)), alpha=0.1)
    pairs = [("difference", "difference"), ("ci_low", "ci_high"), ("ci_high", "ci_low")]
    for mine, yours in pairs:
        assert there[mine] == pytest.approx(-back[yours], abs=1e-12, nan_ok=True)
    assert there["p_value"] == pytest.approx(back["p_value"], nan_ok=True)
    assert {"helps": "hurts", "hurts": "helps"}.get(there["verdict"], there["verdict"]) == back["verdict"]
