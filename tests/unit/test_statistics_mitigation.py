"""Mitigates means more than helps: the gain under noise exceeds the gain without."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statistics_rows import frame, teacher

from smearlab.statistics.mitigation import COLUMNS, mitigation
from smearlab.statistics.summary import summarise

SEEDS = 8


def grid(gains, *, seed=0, spread=0.002, method="label_smoothing", alpha=0.1, plain=None):
    """A method and cross-entropy at some rates, with a true gain each (points) and a luck shared per replicate."""
    rng = np.random.default_rng(seed)
    rows = []
    for rate, gain in gains.items():
        base = (0.95 - 0.5 * rate if plain is None else plain[rate]) + rng.normal(0, 0.01, SEEDS)
        better = base + gain / 100 + rng.normal(0, spread, SEEDS)
        for name, strength, values in (("cross_entropy", None, base), (method, alpha, better)):
            replicates = {(i if rate else 0, i): value for i, value in enumerate(values)}
            rows += teacher(name, replicates, strength, noise_rate=rate)
    return frame(rows)


def found(metrics, margin=0.5):
    return mitigation(metrics, summarise(metrics, margin=margin))


def findings(gains, **options):
    return list(found(grid(gains, **options))["finding"])


def test_the_numbers_are_those_of_the_paired_test_by_training_seed():
    metrics = grid({0.0: 1, 0.4: 4})
    row = found(metrics).iloc[0]
    values = {
        (rate, method): rows["test_accuracy"].to_numpy()
        for (rate, method), rows in metrics.groupby(["noise_rate", "method"])
    }
    under, without = (values[rate, "label_smoothing"] - values[rate, "cross_entropy"] for rate in (0.4, 0.0))
    expected = stats.ttest_rel(under, without)
    assert row["difference"] == pytest.approx(np.mean(under) - np.mean(without))
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(expected.confidence_interval()))
    lost = values[0.0, "cross_entropy"].mean() - values[0.4, "cross_entropy"].mean()
    assert row["lost_to_noise"] == pytest.approx(lost)
    assert row["share_recovered"] == pytest.approx(np.mean(under) / lost)
    assert (row["n"], row["finding"]) == (SEEDS, "mitigates")


def test_one_point_at_every_rate_is_no_more_than_without_noise():
    expected = ["helps, but no more than without noise"] * 2
    assert findings({0.0: 1, 0.2: 1, 0.4: 1}, spread=0.001) == expected
    same = grid({0.0: 1, 0.4: 1})
    clean, noisy = (same["noise_rate"] == rate for rate in (0.0, 0.4))
    same.loc[noisy, "test_accuracy"] = same.loc[clean, "test_accuracy"].to_numpy() - 0.1
    assert list(found(same)["finding"]) == expected[:1]


def test_a_gain_that_falls_with_the_rate_does_not_mitigate():
    assert findings({0.0: 3, 0.2: 2, 0.4: 1}) == ["helps, but no more than without noise"] * 2


@pytest.mark.parametrize("gain", [-2, 0])
def test_what_does_not_help_under_noise_does_not_mitigate_however_bad_it_is_without(gain):
    assert findings({0.0: -5, 0.4: gain}, spread=0.001) == ["does not"]


def test_a_wide_spread_decides_nothing():
    assert findings({0.0: 1, 0.4: 1.5}, spread=0.02) == ["not enough data"]


def test_without_an_interaction_it_is_seldom_called_mitigation():
    grids = [grid({0.0: 1, 0.4: 1}, seed=k, spread=0.005).assign(dataset=f"grid {k}") for k in range(200)]
    table = found(pd.concat(grids, ignore_index=True))
    assert len(table) == 200
    assert (table["finding"] == "mitigates").sum() <= 11  # 2.5 % are 5; more than 11 have a chance below 1 %


def test_an_interaction_is_found():
    grids = [grid({0.0: 1, 0.4: 3}, seed=k, spread=0.005).assign(dataset=f"grid {k}") for k in range(20)]
    table = found(pd.concat(grids, ignore_index=True))
    assert (table["finding"] == "mitigates").all()


def test_holm_corrects_the_strengths_and_the_headline_stands_outside():
    tables = [grid({0.0: 0, 0.4: 1}, alpha=alpha, seed=1, spread=0.01 * alpha) for alpha in (0.1, 0.2, 0.4, 0.8)]
    others = [table[table["method"] == "label_smoothing"] for table in tables[1:]]
    table = found(pd.concat([tables[0], *others]))
    assert np.isnan(table["p_holm"][0])
    smallest = table["p_value"][1:].idxmin()
    assert table["p_holm"][smallest] == pytest.approx(min(1, 3 * table["p_value"][smallest]))


def test_rate_0_of_another_noise_is_no_noise_too():
    metrics = grid({0.0: 0, 0.4: 3})
    metrics.loc[metrics["noise_rate"] == 0, "noise"] = "pair_flip"
    assert list(found(metrics)["finding"]) == ["mitigates"]


def test_without_rate_0_there_is_no_row():
    table = found(grid({0.2: 1, 0.4: 2}))
    assert len(table) == 0 and list(table.columns) == list(COLUMNS)


def test_a_diverged_network_of_the_four_forbids_the_test():
    metrics = grid({0.0: 0, 0.4: 3})
    metrics.loc[0, ["status", "test_accuracy"]] = ["diverged", None]
    row = found(metrics).iloc[0]
    assert (row["finding"], row["note"]) == ("diverged", "diverged: 1 networks")
    assert row[["ci_low", "p_value"]].isna().all()


def test_a_crossed_design_is_not_tested():
    metrics = grid({0.0: 0, 0.4: 3})
    metrics.loc[metrics["noise_rate"] > 0, "noise_seed"] //= 2
    row = found(metrics).iloc[0]
    assert (row["n"], row["finding"]) == (0, "not enough data") and "crossed" in row["note"]


def test_where_noise_costs_nothing_there_is_no_share_to_recover():
    row = found(grid({0.0: 0, 0.4: 3}, plain={0.0: 0.6, 0.4: 0.8})).iloc[0]
    assert row["lost_to_noise"] < 0 and np.isnan(row["share_recovered"])


def test_no_more_than_without_noise_rests_on_the_90_percent_interval():
    """Eight differences of ±0.6 points about 0: the 90 % interval ends at 0.43 points, the 95 % one at 0.54."""
    luck, apart = np.tile([0.001, -0.001], SEEDS // 2), np.tile([0.006, 0.006, -0.006, -0.006], SEEDS // 4)
    plain = np.full(SEEDS, 0.8)
    rows = []
    for rate, gain in ((0.0, 0.05 + luck - apart), (0.4, 0.05 + luck)):
        for name, alpha, values in (("cross_entropy", None, plain), ("label_smoothing", 0.1, plain + gain)):
            replicates = {(i if rate else 0, i): value for i, value in enumerate(values)}
            rows += teacher(name, replicates, alpha, noise_rate=rate)
    row = found(frame(rows)).iloc[0]
    assert row["ci_high"] > 0.005
    assert row["finding"] == "helps, but no more than without noise"
