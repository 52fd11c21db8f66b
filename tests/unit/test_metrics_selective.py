"""Measures of classes and of abstaining, against scikit-learn, definitions written out and closed forms."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, recall_score

from smearlab.core.predictions import Part, Predictions
from smearlab.metrics import balanced_accuracy, class_recall, macro_f1, selective
from smearlab.metrics.selective import risks_accepted

L = 6


def predictions(labels, predicted, size=5.0):
    """Predictions whose three parts have true labels and predicted classes as given."""
    labels = np.asarray(labels, np.int64)
    logits = (np.reshape(size, (-1, 1)) * np.eye(L)[predicted]).astype(np.float32)
    part = Part(logits, labels, labels)
    return Predictions(L, part, part, part)


def of_confidence(confidences, wrong):
    """Predictions of class 0 with these probabilities, of two classes; class 1 is true where they are wrong."""
    p = np.asarray(confidences)
    logits = np.stack([np.log(p), np.log1p(-p)], axis=1).astype(np.float32)
    labels = np.asarray(wrong, np.int64)
    part = Part(logits, labels, labels)
    return Predictions(2, part, part, part)


labelled = st.integers(1, 60).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, L - 1), min_size=n, max_size=n)] * 2)
)


@given(labelled.filter(lambda pair: len({*pair[0], *pair[1]}) > 1))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_measures_of_classes_are_those_of_scikit_learn(pair):
    labels, predicted = pair
    p = predictions(labels, predicted)
    balanced = balanced_accuracy.measure(p)["test_balanced_accuracy"]
    assert balanced == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-12)
    expected = f1_score(labels, predicted, average="macro", zero_division=0.0)
    assert macro_f1.measure(p)["test_macro_f1"] == pytest.approx(expected, abs=1e-12)


@given(labelled)
def test_the_recall_of_each_class_is_that_of_scikit_learn(pair):
    labels, predicted = pair
    recalls = recall_score(labels, predicted, average=None, labels=np.arange(L), zero_division=0.0)
    for row in class_recall.measure(predictions(labels, predicted))["class_recall"]:
        assert row["count"] == labels.count(row["class"])
        assert row["recall"] == (pytest.approx(recalls[row["class"]]) if row["count"] else None)


def test_a_class_without_examples_is_left_out_of_the_mean():
    measured = balanced_accuracy.measure(predictions([0, 0, 0, 0, 1], [0, 0, 0, 1, 1]))
    assert measured["test_balanced_accuracy"] == (0.75 + 1.0) / 2


def test_in_classes_of_one_size_balanced_accuracy_is_accuracy():
    labels = np.repeat(np.arange(L), 9)
    predicted = np.random.default_rng(0).integers(0, L, len(labels))
    measured = balanced_accuracy.measure(predictions(labels, predicted))["test_balanced_accuracy"]
    assert measured == pytest.approx(accuracy_score(labels, predicted))


def test_giving_up_a_rare_class_costs_accuracy_little_and_the_measures_of_classes_much():
    p = predictions([0] * 95 + [1] * 5, [0] * 100)
    assert balanced_accuracy.measure(p)["test_balanced_accuracy"] == 0.5
    assert macro_f1.measure(p)["test_macro_f1"] == pytest.approx((2 * 95 / 195) / 2)


def test_unknown_labels_count_nowhere():
    p, known = predictions([0, 1, -1, -1], [0, 0, 1, 2]), predictions([0, 1], [0, 0])
    for metric in (balanced_accuracy, macro_f1, class_recall, selective):
        assert metric.measure(p) == metric.measure(known)


def test_without_labels_there_is_nothing():
    p = predictions([-1, -1], [0, 1])
    for metric in (balanced_accuracy, macro_f1, class_recall, selective):
        assert set(map(repr, metric.measure(p).values())) <= {"None", "[]"}


def test_the_risk_is_the_share_of_errors_among_the_most_confident():
    p = of_confidence([0.99, 0.9, 0.8, 0.7], [False, True, False, True])
    measured = selective.measure(p)
    risks = [0, 1 / 2, 1 / 3, 2 / 4]
    assert measured["test_aurc"] == pytest.approx(np.mean(risks))
    assert measured["test_excess_aurc"] == pytest.approx(np.mean(risks) - np.mean([0, 0, 1 / 3, 2 / 4]))
    by_coverage = {row["coverage"]: row["risk"] for row in measured["risk_coverage"]}
    assert [by_coverage[c] for c in (0.25, 0.5, 0.75, 1.0)] == pytest.approx(risks)
    assert by_coverage[0.3] == 1 / 2  # at least a share of 0.3 is accepted: two of four


def test_the_excess_is_nothing_where_all_errors_are_the_least_confident():
    wrong = np.arange(50) >= 40
    assert selective.measure(of_confidence(np.linspace(0.99, 0.6, 50), wrong))["test_excess_aurc"] == 0


def test_at_full_coverage_the_risk_is_the_error():
    rng = np.random.default_rng(1)
    wrong = rng.random(200) < 0.3
    curve = selective.measure(of_confidence(rng.uniform(0.5, 1, 200), wrong))["risk_coverage"]
    assert len(curve) == 20 and curve[-1] == {"coverage": 1.0, "risk": pytest.approx(wrong.mean())}


def test_a_confidence_that_says_nothing_has_the_error_as_its_area():
    wrong = np.arange(40) % 4 == 0
    assert selective.measure(of_confidence([0.8] * 40, wrong))["test_aurc"] == pytest.approx(0.25)


def test_ties_have_the_mean_over_all_their_orders():
    score, wrong = np.array([3.0, 2.0, 2.0, 2.0, 1.0]), np.array([False, True, False, True, False])
    orders = [[0, *tied, 4] for tied in itertools.permutations([1, 2, 3])]
    expected = np.mean([np.cumsum(wrong[order]) / np.arange(1, 6) for order in orders], axis=0)
    assert risks_accepted(score, wrong) == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30), st.randoms())
def test_the_order_of_the_examples_does_not_matter(examples, random):
    shuffled = random.sample(examples, len(examples))
    one, other = (risks_accepted(*map(np.array, zip(*rows, strict=True))) for rows in (examples, shuffled))
    assert one == pytest.approx(other)


def test_the_best_area_is_near_its_closed_form():
    """With error r and all errors last the area is r + (1 - r) log(1 - r) (Geifman, Uziel & El-Yaniv 2019)."""
    n, r = 20_000, 0.3
    wrong = np.arange(n) >= (1 - r) * n
    area = risks_accepted(-np.arange(n), wrong).mean()
    assert area == pytest.approx(r + (1 - r) * np.log(1 - r), abs=1e-4)
