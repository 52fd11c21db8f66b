"""Suspect labels: scores with a known answer, and how they are held against the truth."""

import numpy as np
import pytest

from smearlab.evaluation import annotators, suspects

NAMES = ["cat", "dog", "emu"]
PROBABILITIES = np.array([[[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]]], dtype=np.float32)
OBSERVED = np.array([[0, 1, 2, 1]])
ROWS = np.array([7, 3, 5, 9])


def scored(true=(0, 0, 2, 1), observed=OBSERVED, probabilities=PROBABILITIES, names=()):
    return suspects.scored(ROWS, observed, probabilities, np.array(true), NAMES, names)


def test_the_score_is_the_normalised_margin_and_the_worst_comes_first():
    found = scored()
    assert found["row"].tolist() == [3, 9, 7, 5]
    assert found["score"].tolist() == pytest.approx([(0.2 - 0.7 + 1) / 2, 0.55, 0.85, 0.85], abs=1e-5)
    assert found["given"].tolist() == ["dog", "dog", "cat", "emu"]
    assert found["predicted"].tolist() == ["cat", "dog", "cat", "emu"]


def test_agreement_counts_the_replicates_that_say_otherwise():
    second = PROBABILITIES.copy()
    second[0, 1] = [0.1, 0.8, 0.1]
    found = scored(observed=np.repeat(OBSERVED, 2, axis=0), probabilities=np.concatenate([PROBABILITIES, second]))
    assert found.set_index("row")["agreement"].to_dict() == {3: 0.5, 9: 0.0, 5: 0.0, 7: 0.0}


def test_a_replicate_that_drew_another_label_does_not_speak_of_an_example():
    observed = np.array([[0, 1, 2, 1], [0, 0, 2, 1]])
    found = scored(observed=observed, probabilities=np.repeat(PROBABILITIES, 2, axis=0))
    assert found["score"].tolist() == pytest.approx(scored()["score"].tolist())


def test_files_are_named_and_unknown_truth_is_empty():
    found = scored(true=(-1, 0, 2, 1), names=[f"{k}.png" for k in range(10)])
    assert found["name"].tolist() == ["3.png", "9.png", "7.png", "5.png"]
    assert found["true"].tolist() == ["cat", "dog", "", "emu"]


def test_against_the_truth():
    assert suspects.against_truth(scored()) == {"n": 4, "n_wrong": 1, "precision_at_100": 0.25, "auc": 1.0}
    assert suspects.against_truth(scored(true=(1, 1, 2, 1)))["auc"] == pytest.approx(1 / 6)
    right = suspects.against_truth(scored(true=(0, 1, 2, 1)))
    assert right == {"n": 4, "n_wrong": 0, "precision_at_100": None, "auc": None}


def test_pairs_of_classes_are_counted_among_contradicted_labels():
    assert [(given, said, len(rows)) for given, said, rows in suspects.pairs(scored(), 5)] == [("dog", "cat", 1)]


def test_two_annotators():
    """Cohen 1960: po = 0.75, pe = 0.5 of two who say each class equally often."""
    one, other = np.array([0, 0, 1, 1, -1]), np.array([0, 1, 1, 0, 1])
    assert annotators.agreement(one, other) == {"n": 4, "same": 0.5, "kappa": pytest.approx(0.0)}
    found = annotators.agreement(np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 1, 1, 0]))
    assert found == {"n": 8, "same": 0.75, "kappa": pytest.approx(0.5)}
    assert annotators.agreement(np.array([-1]), np.array([0]))["n"] == 0
    assert annotators.agreement(np.zeros(3, int), np.zeros(3, int))["kappa"] is None
