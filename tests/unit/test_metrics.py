"""Metrics against other libraries, hand-made cases, and what must hold for every input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import brentq
from scipy.special import softmax
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss

from smearlab.core import registry
from smearlab.core.predictions import Part, Predictions
from smearlab.core.transition import symmetric
from smearlab.metrics import (
    accuracy,
    brier,
    confidence,
    ece,
    heldout,
    logits,
    margins,
    memorised,
    nll,
    omega,
    temperature,
)
from smearlab.metrics._shared import density, margin

UNKNOWN = -1


def part(logits, labels, observed=None):
    labels = np.asarray(labels, np.int64)
    observed = np.full_like(labels, UNKNOWN) if observed is None else np.asarray(observed, np.int64)
    return Part(np.asarray(logits, np.float32), labels, observed)


def random_part(rng, n=300, n_classes=7, scale=3.0):
    labels = rng.integers(n_classes, size=n)
    observed = np.where(rng.random(n) < 0.3, rng.integers(n_classes, size=n), labels)
    values = scale * rng.normal(size=(n, n_classes))
    values[np.arange(n), labels] += 2
    return part(values, labels, observed)


def random_predictions(seed=0, n_classes=7):
    rng = np.random.default_rng(seed)
    parts = [random_part(rng, n, n_classes) for n in (300, 90, 200)]
    return Predictions(n_classes, *parts, transition=symmetric(n_classes, 0.3 * (n_classes - 1) / n_classes))


def only_test(test):
    """Predictions of which only the test part matters."""
    return Predictions(test.logits.shape[1], test, test, test)


def one_hot_logits(labels, n_classes=10, size=5.0):
    return size * np.eye(n_classes)[labels]


parts = st.builds(
    lambda values, seed: part(values, np.random.default_rng(seed).integers(4, size=len(values))),
    hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(4)), elements=st.floats(-200, 200, width=32)),
    st.integers(0, 1000),
)


def test_every_metric_gives_numbers_or_curves_and_no_two_share_a_name():
    p = random_predictions()
    seen = {}
    for name in registry.names("metrics"):
        for key, value in registry.load("metrics", name).measure(p).items():
            assert key not in seen, f"{key}: {name} and {seen[key]}"
            seen[key] = name
            assert type(value) in (float, int, list), key
            if isinstance(value, list):
                assert value and len({tuple(row) for row in value}) == 1


def test_unknown_labels_give_null_not_a_number():
    rng = np.random.default_rng(1)
    clean = random_part(rng)
    unlabelled = part(clean.logits, np.full(300, UNKNOWN))
    p, known = (Predictions(7, x, x, x, transition=symmetric(7, 0.3)) for x in (unlabelled, clean))
    unaffected = set()
    for name in registry.names("metrics"):
        with_labels = registry.load("metrics", name).measure(known)
        for key, value in registry.load("metrics", name).measure(p).items():
            if not isinstance(value, list) and value is not None:
                assert value == with_labels[key], f"{key} needs labels, and is not null without"
                unaffected.add(key)
    assert unaffected >= {"test_confidence", "logit_norm", "logit_spread", "omega"}


def test_accuracy_of_each_part_is_against_its_own_labels():
    p = random_predictions()
    measured = accuracy.measure(p)
    for name, one, stated in [
        ("test_accuracy", p.test, p.test.labels),
        ("test_accuracy_noisy", p.test, p.test.observed),
        ("validation_accuracy_clean", p.validation, p.validation.labels),
        ("validation_accuracy_noisy", p.validation, p.validation.observed),
        ("train_accuracy_clean", p.train, p.train.labels),
        ("train_accuracy_noisy", p.train, p.train.observed),
    ]:
        assert measured[name] == pytest.approx(accuracy_score(stated, one.logits.argmax(1)), abs=1e-15)
    assert len({measured[k] for k in measured}) > 5


def test_train_accuracy_is_the_mix_of_its_right_and_wrong_parts():
    p = random_predictions()
    m = accuracy.measure(p)
    wrong = np.mean(p.train.labels != p.train.observed)
    mixed = (1 - wrong) * m["train_accuracy_right_part"] + wrong * m["train_accuracy_wrong_part"]
    assert m["train_accuracy_noisy"] == pytest.approx(mixed)


def test_memorised_and_recovered_count_wrong_labels_only():
    labels, observed = [0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 1, UNKNOWN]
    predicted = [1, 0, 2, 1, 1, 0]
    train = part(one_hot_logits(predicted), labels, observed)
    measured = memorised.measure(Predictions(10, train, train, train))
    assert measured == {"memorised": 2 / 4, "recovered": 1 / 4}


def test_memorised_is_null_when_no_label_is_wrong():
    train = part(one_hot_logits([0, 1]), [0, 1], [0, 1])
    assert memorised.measure(only_test(train)) == {"memorised": None, "recovered": None}


def test_nll_and_brier_agree_with_scikit_learn():
    p = random_predictions()
    probabilities = softmax(p.test.logits.astype(np.float64), axis=1)
    classes = np.arange(7)
    assert nll.measure(p)["test_nll"] == pytest.approx(
        log_loss(p.test.labels, probabilities, labels=classes), rel=1e-12
    )
    reference = brier_score_loss(p.test.labels, probabilities, labels=classes, scale_by_half=False)
    assert brier.measure(p)["test_brier"] == pytest.approx(reference, rel=1e-12)


def test_brier_with_two_classes_is_twice_the_one_class_score():
    rng = np.random.default_rng(3)
    test = part(rng.normal(size=(50, 2)), rng.integers(2, size=50))
    one_class = np.mean((softmax(test.logits.astype(np.float64), axis=1)[:, 1] - test.labels) ** 2)
    assert brier.measure(only_test(test))["test_brier"] == pytest.approx(2 * one_class)


def test_nll_of_a_sure_mistake_is_its_logit_gap_and_not_infinite():
    test = part([[1000.0, 0.0]], [1])
    assert nll.measure(only_test(test))["test_nll"] == 1000.0


def test_ece_of_a_hand_made_case():
    confidences = np.array([0.95, 0.95, 0.5, 0.5])
    hits = np.array([True, False, True, True])
    curve = ece.reliability(confidences, hits)
    assert [row["bin"] for row in curve] == [7, 14]
    assert [row["count"] for row in curve] == [2, 2]
    assert ece.calibration_error(curve) == pytest.approx(0.5 * 0.45 + 0.5 * 0.5)


def test_confidence_of_exactly_one_counts_in_the_last_bin():
    test = part([[500.0, 0.0]] * 4, [0, 0, 0, 1])
    measured = ece.measure(only_test(test))
    assert measured["reliability"] == [{"bin": 14, "confidence": 1.0, "accuracy": 0.75, "count": 4}]
    assert measured["test_ece"] == 0.25


def test_a_confidence_on_a_bin_edge_opens_the_upper_bin():
    edges = np.arange(15) / 15
    assert [row["bin"] for row in ece.reliability(edges, np.ones(15, bool))] == list(range(15))
    below = np.nextafter(edges[1:], 0)
    assert [row["bin"] for row in ece.reliability(below, np.ones(14, bool))] == list(range(14))


def test_ece_agrees_with_a_loop_over_bins():
    p = random_predictions(5)
    probabilities = softmax(p.test.logits.astype(np.float64), axis=1)
    top, hit = probabilities.max(1), probabilities.argmax(1) == p.test.labels
    expected = 0.0
    for k in range(15):
        inside = (top >= k / 15) & ((top < (k + 1) / 15) | (k == 14))
        if inside.any():
            expected += inside.mean() * abs(hit[inside].mean() - top[inside].mean())
    assert ece.measure(p)["test_ece"] == pytest.approx(expected, abs=1e-12)


@given(parts)
@settings(deadline=None)
def test_scores_stay_in_their_ranges(test):
    p = only_test(test)
    assert 0 <= ece.measure(p)["test_ece"] <= 1
    assert 0 <= brier.measure(p)["test_brier"] <= 2
    assert nll.measure(p)["test_nll"] >= 0
    assert omega.measure(p)["omega"] >= 4 * np.log(4) - 1e-9
    assert sum(row["count"] for row in ece.measure(p)["reliability"]) == len(test.labels)


@given(parts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_order_of_the_examples_does_not_matter(test, random):
    order = np.array(random.sample(range(len(test.labels)), len(test.labels)))
    shuffled = Part(test.logits[order], test.labels[order], test.observed[order])
    for module in (accuracy, nll, brier, ece, logits, omega):
        before, after = module.measure(only_test(test)), module.measure(only_test(shuffled))
        for key, value in before.items():
            if isinstance(value, float):
                assert after[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key


@given(parts, st.permutations(range(4)))
@settings(deadline=None)
def test_names_of_the_classes_do_not_matter(test, names):
    names = np.array(names)
    renamed = Part(test.logits[:, np.argsort(names)], names[test.labels], test.observed)
    for module, key in [(nll, "test_nll"), (brier, "test_brier"), (omega, "omega"), (logits, "logit_norm")]:
        before, after = module.measure(only_test(test))[key], module.measure(only_test(renamed))[key]
        assert after == pytest.approx(before, rel=1e-9, abs=1e-9)


def test_margin_is_the_stated_logit_minus_the_largest_other():
    values = np.array([[3.0, 1.0, -2.0]] * 3)
    assert margin(values, np.array([0, 1, 2])).tolist() == [2.0, -2.0, -5.0]
    assert np.isnan(margin(values, np.array([UNKNOWN] * 3))).all()


def test_margin_densities_are_of_the_observed_label_and_integrate_to_one():
    train = part(one_hot_logits([0, 1, 1, 2], size=[[4], [2], [3], [1000]]), [0, 1, 0, 0], [0, 1, 1, 2])
    measured = margins.measure(only_test(train))
    assert measured["margin_right_part"] == 3.0
    assert measured["margin_wrong_part"] == (3.0 + 1000.0) / 2
    for group in ("right", "wrong"):
        total = sum(row[group] * (row["high"] - row["low"]) for row in measured["margins"])
        assert total == pytest.approx(1.0)
    inside = [row for row in measured["margins"] if row["low"] <= 3 < row["high"]]
    assert len(inside) == 1 and inside[0]["wrong"] * (inside[0]["high"] - inside[0]["low"]) == pytest.approx(0.5)
    assert measured["margins"][-1]["wrong"] > 0  # a margin beyond the grid is counted in its end bin


def test_confidence_densities_integrate_to_one_and_an_empty_group_is_null():
    train = part(one_hot_logits([0, 1]), [0, 1], [0, 1])
    measured = confidence.measure(only_test(train))
    assert measured["train_wrong_confidence"] is None
    assert {row["train_wrong"] for row in measured["confidence"]} == {None}
    assert sum(row["test"] for row in measured["confidence"]) / 20 == pytest.approx(1.0)
    assert measured["test_confidence"] == pytest.approx(np.exp(5) / (np.exp(5) + 9))


@given(hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)))
def test_a_density_loses_no_value(values):
    edges = np.array([-1.0, 0.0, 0.5, 2.0])
    rows = density({"x": values}, edges)
    assert sum(row["x"] * (row["high"] - row["low"]) for row in rows) == pytest.approx(1.0)


def test_a_common_shift_of_the_logits_changes_their_norm_and_nothing_else():
    p = random_predictions(2)
    shifted = Predictions(
        7, *(Part(x.logits + np.float32(8), x.labels, x.observed) for x in (p.train, p.validation, p.test))
    )
    assert logits.measure(shifted)["logit_norm"] > logits.measure(p)["logit_norm"]
    assert logits.measure(shifted)["logit_spread"] == pytest.approx(logits.measure(p)["logit_spread"], rel=1e-6)
    assert omega.measure(shifted)["omega"] == pytest.approx(omega.measure(p)["omega"], rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 10, 100])
def test_omega_of_equal_logits_is_its_minimum(n_classes):
    flat = part(np.full((3, n_classes), 2.5), [0, 1, 0])
    assert omega.measure(only_test(flat))["omega"] == pytest.approx(n_classes * np.log(n_classes))


def test_smoothed_loss_is_plain_loss_plus_omega():
    p, alpha, n_classes = random_predictions(4), 0.3, 7
    log_p = p.train.log_probabilities
    targets = (1 - alpha) * np.eye(n_classes)[p.train.observed] + alpha / n_classes
    smoothed = -(targets * log_p).sum(1).mean()
    plain = -log_p[np.arange(len(log_p)), p.train.observed].mean()
    regularised = (1 - alpha) * (plain + alpha / (1 - alpha) / n_classes * omega.measure(p)["omega"])
    assert smoothed == pytest.approx(regularised, rel=1e-12)


def test_fitted_temperature_satisfies_its_stationarity_condition():
    part_ = random_part(np.random.default_rng(8), n=2000)
    values, observed = part_.logits.astype(np.float64), part_.observed

    def slope(inverse):  # derivative of the mean -log p(observed) by the inverse temperature
        expected = (softmax(inverse * values, axis=1) * values).sum(1)
        return (expected - values[np.arange(len(values)), observed]).mean()

    inverse = brentq(slope, 1e-3, 1e2, xtol=1e-12)
    assert temperature.fit_temperature(part_) == pytest.approx(1 / inverse, rel=1e-4)


def test_temperature_finds_the_scale_that_the_labels_were_drawn_at():
    rng = np.random.default_rng(9)
    values = rng.normal(size=(20_000, 5))
    labels = np.array([rng.choice(5, p=row) for row in softmax(values, axis=1)])
    overconfident = part(3 * values, labels, labels)
    assert temperature.fit_temperature(overconfident) == pytest.approx(3.0, rel=0.05)
    p = only_test(overconfident)
    assert temperature.measure(p)["test_ece_scaled"] < 0.02 < ece.measure(p)["test_ece"]


def test_temperature_is_fitted_on_validation_observed_labels_only():
    p = random_predictions(6)
    unlabelled = part(p.test.logits, np.full(len(p.test.labels), UNKNOWN))
    validation = part(p.validation.logits, np.full(90, UNKNOWN), p.validation.observed)
    fitted = temperature.measure(Predictions(7, unlabelled, validation, unlabelled))["fitted_temperature"]
    assert fitted == temperature.measure(p)["fitted_temperature"] > 1


def test_temperature_of_a_flawless_network_stays_within_its_bounds():
    labels = np.arange(10)
    fitted = temperature.fit_temperature(part(one_hot_logits(labels), labels, labels))
    assert np.exp(-5) <= fitted < 0.1


def test_choice_and_heldout_halves_share_no_example():
    observed = np.array([0, 1, 0, 1, 0])
    predicted = np.array([0, 0, 0, 0, 1])
    measured = heldout.measure(only_test(part(one_hot_logits(predicted), observed, observed)))
    assert measured == {"choice_accuracy_noisy": 2 / 3, "heldout_accuracy_noisy": 0.0}


def test_norm_and_spread_of_known_logits():
    test = part([[3.0, 4.0, 0.0], [-6.0, 8.0, 0.0]], [0, 1])
    measured = logits.measure(only_test(test))
    assert measured["logit_norm"] == pytest.approx((5 + 10) / 2)
    assert measured["logit_spread"] == pytest.approx((np.std([3, 4, 0]) + np.std([-6, 8, 0])) / 2)
