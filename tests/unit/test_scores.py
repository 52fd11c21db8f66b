"""Measures beside accuracy, weights of classes and balanced batches."""

from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, recall_score

from smearlab.core.scores import SCORES, score
from smearlab.training import trainee
from smearlab.training.batches import Batches, epoch_draws, on_device, statistics_of
from smearlab.training.objective import class_weights

LABELS = arrays(np.int64, 30, elements=st.integers(0, 3))


@given(LABELS, LABELS)
def test_they_are_those_of_scikit_learn(predicted: np.ndarray, stated: np.ndarray) -> None:
    assert score("accuracy", predicted, stated, 4) == (predicted == stated).mean()
    assert score("macro_f1", predicted, stated, 4) == pytest.approx(f1_score(stated, predicted, average="macro"))
    each = recall_score(stated, predicted, labels=np.unique(stated), average=None)
    assert score("balanced_accuracy", predicted, stated, 4) == pytest.approx(each.mean())


@pytest.mark.parametrize("measure", SCORES)
def test_unknown_labels_do_not_count(measure: str) -> None:
    predicted, stated = np.array([0, 1, 1, 2]), np.array([0, 1, 0, -1])
    assert score(measure, predicted, stated, 3) == score(measure, predicted[:3], stated[:3], 3)
    assert score(measure, predicted, np.full(4, -1), 3) is None


def test_saying_the_same_of_all_is_worth_the_share_of_the_class_or_one_of_the_classes() -> None:
    stated, predicted = np.repeat([0, 1], [747, 70]), np.zeros(817, dtype=int)
    assert score("accuracy", predicted, stated, 2) == pytest.approx(747 / 817)
    assert score("balanced_accuracy", predicted, stated, 2) == 0.5


def test_weighted_classes_weigh_the_same_and_an_example_one_on_average() -> None:
    labels = torch.tensor([0] * 6 + [1] * 3 + [3])
    weights = class_weights(labels, 5)
    torch.testing.assert_close(weights[labels].mean(), torch.tensor(1.0))
    torch.testing.assert_close(weights[:2] * torch.tensor([6.0, 3.0]), torch.full((2,), 10 / 3))
    assert weights[2] == weights[4] == 0


def batches(n: int, *, balanced: bool) -> Batches:
    features = np.arange(2.0 * n).reshape(n, 2)
    labels = torch.from_numpy((np.arange(n) % 10 == 0).astype(np.int64))
    cpu = torch.device("cpu")
    found = Batches(on_device(features, 0, statistics_of(features), cpu), labels, 50, False, "teacher", 3)
    found.balanced = balanced
    return found


def test_balanced_batches_hold_each_class_equally_often_and_are_drawn_by_the_seed_and_the_epoch() -> None:
    ones = [batches(2000, balanced=b).labels[epoch_draws(batches(2000, balanced=b), 0)[..., 0]] for b in (False, True)]
    assert ones[0].float().mean() == pytest.approx(0.1)
    assert ones[1].float().mean() == pytest.approx(0.5, abs=0.04)  # 2000 draws: a standard error of 0.011
    same = [epoch_draws(batches(2000, balanced=True), epoch) for epoch in (0, 0, 1)]
    assert torch.equal(same[0], same[1]) and not torch.equal(same[0], same[2])


def test_the_epoch_is_selected_by_the_measure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The measure of the recipe is asked of the validation part, and its best epoch is kept."""
    asked: list[tuple[str, int]] = []
    values = {12: iter([0.1, 0.9, 0.3])}

    def fake(measure: str, predicted: np.ndarray, stated: np.ndarray, n_classes: int) -> float | None:
        asked.append((measure, len(stated)))
        return next(values.get(len(stated), iter([0.0])))

    monkeypatch.setattr(trainee, "score", fake)
    job = tiny_training.job(count=1, recipe=tiny_training.recipe(measure="macro_f1"))
    found = tiny_training.train(job, tmp_path)
    assert found.replicates[0].entry["selected_epoch"] == 2
    assert {measure for measure, _ in asked} == {"macro_f1"}
