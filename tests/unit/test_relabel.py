"""Cleaned and down-weighted labels: the doubted ones are those that out-of-sample probabilities contradict."""

import numpy as np
import pytest

from smearlab.cli.labels import write_labels
from smearlab.core.errors import UserError
from smearlab.export.relabel import relabel

CLASSES, N = 4, 400


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True labels, observed ones of which a fifth are wrong, and probabilities of two networks that know better."""
    rng = np.random.default_rng(0)
    true = np.arange(N) % CLASSES
    observed = np.where(np.arange(N) % 5 == 0, (true + 1) % CLASSES, true)
    sure = rng.uniform(0.8, 0.95, (2, N))
    probabilities = np.repeat(((1 - sure) / (CLASSES - 1))[..., None], CLASSES, axis=2)
    probabilities[:, np.arange(N), true] = sure
    return true, observed, probabilities


def test_wrong_labels_are_doubted_and_cleaned() -> None:
    true, observed, probabilities = made()
    found = relabel(observed, probabilities)
    np.testing.assert_array_equal(found.doubted, observed != true)
    np.testing.assert_array_equal(found.cleaned, true)
    assert found.wrong(true) == (N, N // 5, 0)


def test_the_weight_is_the_mean_probability_of_the_label_given() -> None:
    _, observed, probabilities = made()
    expected = probabilities[:, np.arange(N), observed].mean(axis=0)
    np.testing.assert_allclose(relabel(observed, probabilities).weight, expected)


def test_unknown_true_labels_are_not_counted() -> None:
    true, observed, probabilities = made()
    true[:100] = -1
    assert relabel(observed, probabilities).wrong(true) == (300, 60, 0)


def test_networks_that_know_nothing_better_change_nothing() -> None:
    true, _, probabilities = made()
    found = relabel(true, probabilities)
    np.testing.assert_array_equal(found.cleaned, true)


def test_the_table_has_names_and_no_indices() -> None:
    _, observed, probabilities = made()
    names = ["a", "b", "c", "d"]
    table = relabel(observed, probabilities).frame(names, np.arange(N))
    assert list(table) == ["example", "label", "predicted", "doubted", "cleaned_label", "weight"]
    assert set(table["label"]) <= set(names) and table["label"][1] == names[observed[1]]


def test_a_grid_without_estimates_says_how_to_get_them() -> None:
    grid = type("Grid", (), {"name": "mine", "estimates": {}})
    with pytest.raises(UserError, match="mine: has no out-of-sample probabilities; a method with an estimated T"):
        list(write_labels(grid))
