import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statistics_rows import frame, teacher

from smearlab.statistics.interaction import COLUMNS, interaction

RATES = (0.0, 0.2, 0.4)
PLAIN = {0.0: (0.95, 0.94, 0.96, 0.95), 0.2: (0.80, 0.82, 0.78, 0.81), 0.4: (0.60, 0.63, 0.58, 0.61)}
GAIN = {0.0: (0.001, -0.002, 0.0, 0.002), 0.2: (0.02, 0.03, 0.01, 0.015), 0.4: (0.05, 0.055, 0.035, 0.06)}


def cells(gain=GAIN, alpha=0.1, rates=RATES, **columns):
    """Plain and smoothed cells; at rate 0 no labels are drawn, so that the noise seed stays 0."""
    found = []
    for rate in rates:
        seeds = [(0 if rate == 0 else t, t) for t in range(len(gain[rate]))]
        plain = dict(zip(seeds, PLAIN[rate], strict=False))
        better = {s: plain[s] + g for s, g in zip(seeds, gain[rate], strict=True)}
        found.append(teacher(accuracies=plain, noise_rate=rate, **columns))
        found.append(teacher("label_smoothing", better, alpha, noise_rate=rate, **columns))
    return found


def slopes(gain=GAIN, rates=RATES):
    return [stats.linregress(rates, [gain[r][t] for r in rates]).slope for t in range(len(gain[rates[0]]))]


def test_the_slope_of_each_replicate_is_tested():
    row = interaction(frame(*cells())).iloc[0]
    expected = stats.ttest_1samp(slopes(), 0)
    assert row["slope"] == pytest.approx(np.mean(slopes()))
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["p_holm"] == pytest.approx(expected.pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert (row["n"], row["rates"], row["verdict"]) == (4, "0, 0.2, 0.4", "grows with the rate")
    assert (row["dataset"], row["noise"], row["recipe"], row["alpha"]) == ("digits", "symmetric", "small", 0.1)


def test_the_other_sign_falls():
    loss = {rate: tuple(-g for g in values) for rate, values in GAIN.items()}
    assert interaction(frame(*cells(loss)))["verdict"][0] == "falls with the rate"


def test_a_gain_that_does_not_depend_on_the_rate_is_no_interaction():
    rng = np.random.default_rng(0)
    even = {rate: tuple(rng.normal(0.05, 0.005, 4)) for rate in RATES}
    assert interaction(frame(*cells(even)))["verdict"][0] == "not enough data"


def test_alphas_are_corrected_within_a_setting():
    other = {rate: tuple(g * 2 + 0.001 * t for t, g in enumerate(values)) for rate, values in GAIN.items()}
    again = [rows for rows in cells(other, alpha=0.4) if rows[0]["method"] != "cross_entropy"]
    table = interaction(frame(*cells(), *again, *cells(recipe="large")))
    first, second = (stats.ttest_1samp(s, 0).pvalue for s in (slopes(), slopes(other)))
    larger = max(first, second)
    assert list(table["p_holm"]) == pytest.approx(
        [max(larger, 2 * min(first, second)) if p == larger else 2 * p for p in (first, second)] + [first]
    )


def test_a_crossed_design_uses_means_per_noise_seed_of_the_crossed_rates():
    rng = np.random.default_rng(0)
    plain = {r: rng.normal(0.8 - r, 0.01, (4, 3)) for r in RATES}
    gain = {r: rng.normal(r / 5, 0.01, (4, 3)) for r in RATES}
    found = []
    for rate in RATES:
        drawn = {(n, t) for n in range(1 if rate == 0 else 4) for t in range(3)}
        found.append(teacher(accuracies={s: plain[rate][s] for s in sorted(drawn)}, noise_rate=rate))
        both = {s: plain[rate][s] + gain[rate][s] for s in sorted(drawn)}
        found.append(teacher("label_smoothing", both, 0.1, noise_rate=rate))
    row = interaction(frame(*found)).iloc[0]
    expected = stats.ttest_1samp((gain[0.4].mean(1) - gain[0.2].mean(1)) / 0.2, 0)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["n"], row["rates"], row["note"]) == (4, "0.2, 0.4", "rates not used: 0")


def test_only_blocks_with_every_rate_count():
    rows = frame(*cells())
    some = rows[~((rows["noise_rate"] == 0.4) & (rows["seed"] == 3))]
    row = interaction(some).iloc[0]
    assert row["n"] == 3
    assert row["p_value"] == pytest.approx(stats.ttest_1samp(slopes()[:3], 0).pvalue)


def test_a_rate_without_a_baseline_is_not_used():
    rows = frame(*cells())
    some = rows[~((rows["noise_rate"] == 0.4) & (rows["method"] == "cross_entropy"))]
    row = interaction(some).iloc[0]
    assert (row["rates"], row["note"]) == ("0, 0.2", "rates not used: 0.4")


def test_divergence_forbids_the_test():
    rows = frame(*cells())
    rows.loc[rows.index[-1], ["status", "test_accuracy"]] = ["diverged", None]
    row = interaction(rows).iloc[0]
    assert (row["verdict"], row["note"], row["n"]) == ("diverged", "diverged: 1 networks", 3)
    assert row[["ci_low", "p_value", "p_holm"]].isna().all()


def test_degenerate_tables():
    same = {rate: (rate / 4,) * 4 for rate in RATES}
    row = interaction(frame(*cells(same))).iloc[0]
    assert (row["verdict"], row["note"]) == ("not enough data", "all slopes are equal: no spread to test")
    assert row["slope"] == pytest.approx(0.25)
    few = {rate: values[:2] for rate, values in GAIN.items()}
    assert interaction(frame(*cells(few)))["note"][0] == "2 blocks; a test needs 3"
    assert len(interaction(frame(*cells(rates=(0.2,))))) == 0
    assert list(interaction(pd.DataFrame()).columns) == list(COLUMNS)
