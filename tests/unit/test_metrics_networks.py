"""What is measured inside a network and between student and teacher, on cases with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smearlab.metrics._features import POINTS_PER_CLASS, projection, tightness
from smearlab.metrics._teacher import agreement, memorisation_table


def rotation(rng, d):
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def test_tightness_of_two_pairs_on_a_line():
    features, labels = np.array([[-3.0], [-1.0], [1.0], [3.0]]), np.array([0, 0, 1, 1])
    assert tightness(features, labels) == pytest.approx(1.0 / 4.0)  # within 1, between 2²


def test_tightness_weighs_classes_by_their_examples():
    features = np.array([[0.0], [0.0], [0.0], [4.0]])
    labels = np.array([0, 0, 1, 1])
    # class means 0 and 2, mean of all 1: within (0+0+4+4)/4 = 2, between 1
    assert tightness(features, labels) == pytest.approx(2.0)


def test_collapsed_classes_are_perfectly_tight_and_equal_means_have_no_tightness():
    labels = np.repeat([0, 1, 2], 5)
    assert tightness(np.eye(3)[labels], labels) == 0.0
    assert tightness(np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([0, 0, 1, 1])) is None
    assert tightness(np.ones((2, 3)), np.array([-1, -1])) is None


@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-50, 50))
def test_tightness_ignores_scale_shift_and_rotation(seed, scale, shift):
    rng = np.random.default_rng(seed)
    features, labels = rng.normal(size=(40, 4)), rng.integers(3, size=40)
    moved = scale * (features @ rotation(rng, 4)) + shift
    assert tightness(moved, labels) == pytest.approx(tightness(features, labels), rel=1e-6)


def test_tightness_leaves_out_examples_without_a_label():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(30, 4)), rng.integers(3, size=30)
    more = np.concatenate([features, 100 + rng.normal(size=(5, 4))])
    assert tightness(more, np.concatenate([labels, np.full(5, -1)])) == tightness(features, labels)


def test_projection_keeps_distances_of_points_in_the_templates_plane():
    rng = np.random.default_rng(1)
    head = rng.normal(size=(5, 6))
    weights = rng.normal(size=(30, 3))
    weights /= weights.sum(axis=1, keepdims=True)  # affine combinations lie in the plane of the three templates
    features, labels = weights @ head[:3], np.repeat([0, 1, 2], 10)
    points = projection(features, labels, head)
    plane = np.array([[p["x"], p["y"]] for p in points])
    distances = np.linalg.norm(features[:, None] - features, axis=2)
    assert np.linalg.norm(plane[:, None] - plane, axis=2) == pytest.approx(distances, rel=1e-3, abs=1e-3)
    assert [p["class"] for p in points] == labels.tolist()


def test_projection_axes_point_to_the_second_and_third_template():
    rng = np.random.default_rng(2)
    head = rng.normal(size=(3, 8))
    a, b, c = projection(head, np.arange(3), head)
    assert b["x"] - a["x"] == pytest.approx(np.linalg.norm(head[1] - head[0]), rel=1e-3)
    assert b["y"] == pytest.approx(a["y"], abs=1e-4)
    assert c["y"] > a["y"]


def test_projection_shows_at_most_a_hundred_points_a_class_and_needs_three_classes():
    rng = np.random.default_rng(3)
    features, labels = rng.normal(size=(700, 4)), np.arange(700) % 4
    points = projection(features, labels, rng.normal(size=(4, 4)))
    assert [p["class"] for p in points] == [k for k in range(3) for _ in range(POINTS_PER_CLASS)]
    assert projection(features, labels % 2, rng.normal(size=(2, 4))) == []
    on_a_line = np.outer([0.0, 1.0, 2.0], np.ones(4))
    assert projection(features, labels, on_a_line) == []


def test_memorisation_table_of_a_hand_made_case():
    student = np.array([1, 1, 0, 0, 1, 0], bool)
    teacher = np.array([1, 1, 1, 0, 0, 0], bool)
    assert memorisation_table(student, teacher) == {
        "both_memorised": 2,
        "teacher_only_memorised": 1,
        "student_only_memorised": 1,
        "neither_memorised": 2,
        "memorisation_odds_ratio": (2.5 * 2.5) / (1.5 * 1.5),
    }


def test_memorisation_table_is_null_without_wrong_labels():
    assert set(memorisation_table(np.zeros(0, bool), np.zeros(0, bool)).values()) == {None}


bools = hnp.arrays(bool, st.integers(1, 60))


@given(bools, st.data())
def test_memorisation_table_counts_every_example_once_and_its_odds_are_symmetric(student, data):
    teacher = data.draw(hnp.arrays(bool, len(student)))
    table, swapped = memorisation_table(student, teacher), memorisation_table(teacher, student)
    odds = table.pop("memorisation_odds_ratio")
    assert sum(table.values()) == len(student)
    assert table["both_memorised"] + table["student_only_memorised"] == student.sum()
    assert table["both_memorised"] + table["teacher_only_memorised"] == teacher.sum()
    if len({*student}) < 2 or len({*teacher}) < 2:
        assert odds is None and swapped["memorisation_odds_ratio"] is None
        return
    assert odds > 0 and odds == pytest.approx(swapped["memorisation_odds_ratio"])
    assert memorisation_table(~student, teacher)["memorisation_odds_ratio"] == pytest.approx(1 / odds)


def test_a_teacher_that_memorised_nothing_says_nothing_of_odds():
    student = np.repeat([True, False], [5, 95])
    table = memorisation_table(student, np.zeros(100, bool))
    assert table["student_only_memorised"] == 5 and table["neither_memorised"] == 95
    assert table["memorisation_odds_ratio"] is None  # 1/2 on every count alone would make it 17


def test_agreement_is_the_share_of_equal_predictions():
    assert agreement(np.array([0, 1, 2, 3]), np.array([0, 1, 3, 2])) == 0.5
