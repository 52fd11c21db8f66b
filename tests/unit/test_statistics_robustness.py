"""Other choices for the headline, and one estimate for all noise rates."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statistics_rows import frame, teacher

from smearlab.statistics.pooled import parts, pooled
from smearlab.statistics.robustness import robustness

PLAIN = np.array([0.80, 0.82, 0.78, 0.81, 0.79])
GAIN = np.array([0.02, 0.03, 0.01, 0.025, -0.001])
CHECKS = ["as reported", "at the last epoch", "at the epoch best on noisy validation labels"]


def metrics(smoothed, plain=PLAIN, **more):
    return frame(teacher(accuracies=list(plain)), teacher("label_smoothing", smoothed, 0.1), *more.get("cells", ()))


def checked(table):
    return robustness(table, primary=None, margin=0.5, chance={"digits": 0.1}).set_index("check")


def test_each_check_is_the_paired_test_on_its_own_numbers():
    rows = metrics(PLAIN + GAIN)
    rows["test_accuracy_last"] = rows["test_accuracy"]
    rows["test_accuracy_selected"] = rows["test_accuracy"] + np.where(rows["method"] == "cross_entropy", 0.02, 0.0)
    found = checked(rows)
    assert list(found.index[:3]) == CHECKS and (found["method"] == "label_smoothing").all()
    for check, gain in zip(CHECKS, (GAIN, GAIN, GAIN - 0.02), strict=True):
        assert found.loc[check, "difference"] == pytest.approx(gain.mean())
        assert found.loc[check, "p_value"] == pytest.approx(stats.ttest_1samp(gain, 0).pvalue)
    for k in range(5):
        left = np.delete(GAIN, k)
        row = found.loc[f"without replicate {k}/{k}"]
        assert (row["n"], row["difference"]) == (4, pytest.approx(left.mean()))
        assert row["p_value"] == pytest.approx(stats.ttest_1samp(left, 0).pvalue)


def test_signs_alone_are_the_binomial_test_and_five_pairs_cannot_decide():
    row = checked(metrics(PLAIN + np.abs(GAIN))).loc["signs alone"]
    assert row["p_value"] == pytest.approx(0.0625) and row["verdict"] == "not enough data"
    row = checked(metrics(PLAIN + GAIN)).loc["signs alone"]
    assert row["p_value"] == pytest.approx(stats.binomtest(4, 5).pvalue) and np.isnan(row["ci_low"])


def test_signs_of_several_headlines_are_corrected_together():
    """Six gains of six have p 1/32: enough for a lone headline, and not for one of two."""
    plain, gains = np.append(PLAIN, 0.8), np.array([0.02, 0.03, 0.01, 0.025, 0.015, 0.02])
    cells = [
        [teacher(accuracies=plain, noise_rate=rate), teacher("label_smoothing", plain + gains, 0.1, noise_rate=rate)]
        for rate in (0.2, 0.4)
    ]
    alone = checked(frame(*cells[0])).loc["signs alone"]
    assert alone["verdict"] == "helps" and np.isnan(alone["p_holm"])
    both = checked(frame(*cells[0], *cells[1])).loc["signs alone"]
    assert both["p_value"].tolist() == pytest.approx([1 / 32] * 2) and both["p_holm"].tolist() == pytest.approx(
        [1 / 16] * 2
    )
    assert both["verdict"].tolist() == ["not decided"] * 2


def test_a_diverged_replicate_is_counted_as_guessing_beside_the_row_that_is_not_tested():
    found = checked(metrics([*(PLAIN + GAIN)[:4], None]))
    assert found.loc["as reported", "verdict"] == "diverged"
    row = found.loc["diverged as chance"]
    values = np.append(GAIN[:4], 0.1 - PLAIN[4])
    assert (row["n"], row["difference"]) == (5, pytest.approx(values.mean()))
    assert row["p_value"] == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert found.loc["without replicate 4/4", "difference"] == pytest.approx(GAIN[:4].mean())
    assert "diverged as chance" not in checked(metrics(PLAIN + GAIN)).index


def at_rates(gains):
    """Plain training and smoothing at several rates, with these gains by rate and replicate."""
    cells = []
    for rate, gain in gains.items():
        cells += [teacher(accuracies=PLAIN, noise_rate=rate), teacher("gce", PLAIN + gain, noise_rate=rate)]
    return frame(*cells)


def test_the_pooled_estimate_is_that_of_the_mixed_model():
    rng = np.random.default_rng(1)
    own = rng.normal(0, 0.02, 5)
    gains = {rate: 0.01 + rate / 10 + own + rng.normal(0, 0.005, 5) for rate in (0.1, 0.2, 0.4)}
    (row,) = pooled(at_rates({0.0: own, **gains}), margin=0.5).to_dict("records")
    long = pd.DataFrame([{"gain": 100 * v, "rate": r, "seed": k} for r, g in gains.items() for k, v in enumerate(g)])
    model = smf.mixedlm("gain ~ C(rate, Sum)", long, groups=long["seed"]).fit()
    assert (row["rates"], row["n"]) == ("0.1, 0.2, 0.4", 5)
    assert row["difference"] == pytest.approx(model.params["Intercept"] / 100)
    half = stats.t(4).ppf(0.975) * model.bse["Intercept"] / 100
    assert row["ci_high"] - row["difference"] == pytest.approx(half, rel=1e-3)
    assert row["std_rest"] ** 2 == pytest.approx(model.scale / 1e4, rel=1e-3)
    assert row["std_replicates"] ** 2 == pytest.approx(float(model.cov_re.iloc[0, 0]) / 1e4, rel=1e-2)


def test_parts_by_hand_and_one_rate_is_nothing_to_pool():
    assert parts(np.array([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]])) == pytest.approx((2.0, 0.0))
    assert not len(pooled(at_rates({0.0: GAIN, 0.4: GAIN}), margin=0.5))
    lost = at_rates({0.2: GAIN, 0.4: GAIN})
    lost.loc[lost.index[-1], ["status", "test_accuracy"]] = ["diverged", None]
    (row,) = pooled(lost, margin=0.5).to_dict("records")
    assert row["verdict"] == "diverged" and row["note"] == "diverged: 1 networks"


def restricted(gains, of_replicates, of_rest):
    """The restricted log-likelihood of the model gain = rate + replicate + rest, from its covariance written out."""
    n, rates = gains.shape
    covariance = of_replicates**2 * np.kron(np.eye(n), np.ones((rates, rates))) + of_rest**2 * np.eye(n * rates)
    design, y = np.kron(np.ones((n, 1)), np.eye(rates)), gains.ravel()
    precision = np.linalg.inv(covariance)
    fitted = np.linalg.solve(design.T @ precision @ design, design.T @ precision @ y)
    left = y - design @ fitted
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(design.T @ precision @ design)[1]
    return -(logs + left @ precision @ left) / 2


@pytest.mark.parametrize("spread", [0.03, 0.0])
def test_parts_are_where_the_restricted_likelihood_is_largest(spread):
    """Also at its edge: where replicates differ less than the rest alone makes them, their deviation is 0."""
    rng = np.random.default_rng(5)
    gains = np.array([[0.02, 0.04, 0.05]]) + rng.normal(0, 0.01, (6, 3))
    gains += spread * rng.normal(size=(6, 1)) - (0 if spread else 0.9) * (gains - gains.mean(0)).mean(1, keepdims=True)
    of_replicates, of_rest = parts(gains)
    assert (of_replicates > 0) == (spread > 0)
    best = restricted(gains, of_replicates, of_rest)
    steps = np.concatenate([[0.0004, 0.004], of_replicates * np.linspace(0.5, 1.5, 11)])
    assert all(best >= restricted(gains, other, of_rest) for other in steps)
    if spread:
        assert all(best >= restricted(gains, of_replicates, of_rest * factor) for factor in (0.8, 0.95, 1.05, 1.25))
