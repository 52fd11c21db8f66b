"""Intervals beside verdicts: they hold together over a family and never contradict what is said beside them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statistics_rows import frame, student, teacher
from statsmodels.stats.multitest import multipletests

from smearlab.statistics.families import holm
from smearlab.statistics.paired import Difference
from smearlab.statistics.rivals import rivals
from smearlab.statistics.simultaneous import simultaneous
from smearlab.statistics.summary import summarise
from smearlab.statistics.verdict import verdict

PLAIN = np.array([0.80, 0.82, 0.78, 0.81, 0.79])


def sweep(differences, method="gce"):
    """Plain training and a method at several strengths of an option, with these paired differences."""
    cells = [teacher(accuracies=PLAIN)]
    return frame(*cells, *(teacher(method, PLAIN + d, options=f'{{"q": {i}}}') for i, d in enumerate(differences)))


def test_the_interval_of_one_of_many_is_bonferronis():
    rng = np.random.default_rng(1)
    differences = rng.normal(0, 0.02, (4, 5))
    table = summarise(sweep(differences), margin=0.5).iloc[1:]
    for values, (_, row) in zip(differences, table.iterrows(), strict=True):
        expected = stats.ttest_1samp(values, 0).confidence_interval(1 - 0.05 / 4)
        assert (row["ci_low_simultaneous"], row["ci_high_simultaneous"]) == pytest.approx(tuple(expected))


def test_a_lone_headline_has_its_plain_interval():
    smoothed = teacher("label_smoothing", np.add(PLAIN, [0.01, 0, 0.02, 0, 0.01]), 0.1)
    row = summarise(frame(teacher(accuracies=PLAIN), smoothed), margin=0.5).iloc[1]
    assert (row["ci_low_simultaneous"], row["ci_high_simultaneous"]) == (row["ci_low"], row["ci_high"])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_clear_difference_keeps_bonferronis_interval_on_either_side(sign):
    values = sign * np.array([0.020, 0.021, 0.019, 0.022, 0.018])
    found = Difference(tuple(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval(1 - 0.05 / 3)
    assert simultaneous(found, size=3, p=0.001) == pytest.approx(tuple(expected))
    assert abs(expected.low) > 0.01 and abs(expected.high) > 0.01


def judged(families):
    """Each family of differences as (difference, interval, verdict) of its tests."""
    found = [Difference(tuple(values)) for values in families]
    p = {((), (k,)): d.p_value for k, d in enumerate(found) if d.p_value is not None}
    corrected = holm(p)
    for k, difference in enumerate(found):
        if difference.testable:
            counts = corrected[(), (k,)]
            ends = simultaneous(difference, size=len(p), p=counts)
            yield difference, ends, verdict(difference, p=counts, margin=0.01)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(-30, 60), min_size=5, max_size=5), min_size=1, max_size=6))
def test_an_interval_and_its_verdict_never_contradict_each_other(points):
    for difference, (low, high), said in judged([[value / 1000 for value in values] for values in points]):
        plain = difference.interval()
        assert low <= difference.mean <= high and low <= plain[0] + 1e-9 and high >= plain[1] - 1e-9
        match said:
            case "helps":
                assert low > 0
            case "hurts":
                assert high < 0
            case "not decided":
                assert low <= 0 <= high and not plain[0] <= 0 <= plain[1]
            case "not enough data":
                assert low <= 0 <= high and plain[0] <= 0 <= plain[1]


def test_where_holm_decides_more_than_bonferroni_the_interval_ends_at_nothing():
    strong, weak = (0.05, 0.051, 0.049, 0.05, 0.052), (0.030, 0.005, 0.032, 0.004, 0.022)
    p = stats.ttest_1samp(weak, 0).pvalue
    assert 0.025 < p < 0.05
    row = summarise(sweep([np.array(strong), np.array(weak)]), margin=0.1).iloc[2]
    expected = stats.ttest_1samp(weak, 0).confidence_interval(1 - 0.05 / 2)
    assert row["verdict"] == "helps" and expected.low < 0 < row["ci_low_simultaneous"] < 1e-6
    assert row["ci_high_simultaneous"] == pytest.approx(expected.high)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=12))
def test_holms_p_values_are_those_of_statsmodels(p_values):
    ours = holm({((), (k,)): p for k, p in enumerate(p_values)})
    assert list(ours.values()) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_together_they_hold_in_95_percent_of_families():
    """600 made families of six tests, half of them with an effect: all six truths inside, in 95 %."""
    rng, truth = np.random.default_rng(3), np.repeat([0.0, 0.03], 3)
    missed = 0
    for draws in rng.normal(truth[:, None], 0.02, (600, 6, 5)):
        p = holm({((), (k,)): float(v) for k, v in enumerate(stats.ttest_1samp(draws, 0, axis=1).pvalue)})
        ends = [
            simultaneous(Difference(tuple(values)), size=6, p=p[(), (k,)]) for k, values in enumerate(draws.tolist())
        ]
        missed += any(not low <= true <= high for true, (low, high) in zip(truth, ends, strict=True))
    assert missed <= 41  # of 600: 5 % and two standard errors


def test_two_methods_whose_intervals_overlap_are_told_apart_by_their_pairs():
    luck = np.array([0.05, -0.04, 0.02, -0.05, 0.03])
    smooth = PLAIN + 0.02 + luck
    forward = smooth + 0.01 + np.array([0.001, -0.001, 0.0, 0.001, -0.001])
    metrics = frame(
        teacher(accuracies=PLAIN),
        teacher("label_smoothing", smooth, 0.1),
        teacher("forward", forward, transition="true"),
    )
    summary = summarise(metrics, margin=0.5)
    one, other = summary.iloc[1], summary.iloc[2]
    assert one["ci_high"] > other["ci_low"]
    pupils = frame(student(accuracies=PLAIN), student("label_smoothing", PLAIN + 0.01, 0.1))
    metrics = pd.concat([metrics, pupils], ignore_index=True)  # their headline is none of the teachers'
    summary = summarise(metrics, margin=0.5)
    (row,) = rivals(metrics, summary, margin=0.5).to_dict("records")
    expected = stats.ttest_rel(smooth, forward)
    assert (row["headline_method"], row["headline_alpha"], row["method"]) == ("label_smoothing", 0.1, "forward")
    assert row["difference"] == pytest.approx(np.mean(smooth - forward))
    assert (row["p_value"], row["verdict"], row["n"]) == (pytest.approx(expected.pvalue), "hurts", 5)


def test_a_rival_of_another_kind_changes_no_contrast():
    rng = np.random.default_rng(5)
    cells = [teacher(accuracies=PLAIN), teacher("label_smoothing", PLAIN + rng.normal(0.01, 0.01, 5), 0.1)]
    cells += [teacher("forward", PLAIN + rng.normal(0.01, 0.01, 5), transition="true")]
    more = [*cells, teacher("gce", PLAIN + rng.normal(0.02, 0.01, 5))]
    before, after = (rivals(m, summarise(m, margin=0.5), margin=0.5) for m in (frame(*cells), frame(*more)))
    assert len(after) == 2 and before.iloc[0].dropna().equals(after.iloc[0].dropna())
    assert not len(rivals(frame(*cells[:1]), summarise(frame(*cells[:1]), margin=0.5), margin=0.5))
