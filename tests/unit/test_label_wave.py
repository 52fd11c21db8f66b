"""Label Wave stops at the first local minimum of the smoothed prediction changes, and keeps that epoch's network."""

import csv
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import tiny_training as tiny
import torch

from smearlab.store.files import read_json
from smearlab.training.label_wave import WINDOW, first_minimum
from smearlab.training.trainee import initial_network, make_problem, within

RECIPE = tiny.recipe(epochs=12, snapshots=12, label_wave=True)


def by_definition(changes: list[int | None]) -> int | None:
    """The epoch of the first local minimum of the moving average, from the averages themselves."""
    counts = changes[1:]
    means = {k + 2: Fraction(sum(counts[k - WINDOW + 1 : k + 1]), WINDOW) for k in range(WINDOW - 1, len(counts))}
    epochs = sorted(means)
    for epoch in epochs[1:-1]:
        before = next((means[e] for e in reversed(epochs) if e < epoch and means[e] != means[epoch]), means[epoch])
        if before > means[epoch] < means[epoch + 1]:
            return epoch
    return None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], None),
        ([None], None),
        ([None, 9, 8, 7, 6, 5, 4], None),  # still falling
        ([None, 9, 8, 7, 6, 7, 9], 6),  # averages 8, 7, 6.67, 7.33 of the epochs 4 to 7
        ([None, 4, 4, 4, 4, 9, 9], None),  # never fell
        ([None, 1, 2, 3, 4, 2, 1, 1, 5, 5], 8),  # a rise at the beginning is no minimum
        ([None, 9, 6, 3, 3, 3, 3, 3, 9], 8),  # the end of a flat piece
    ],
)
def test_by_hand(changes, expected):
    assert first_minimum(changes) == expected == by_definition(changes)


def test_it_is_the_first_local_minimum_of_the_moving_average():
    rng = np.random.default_rng(0)
    for _ in range(300):
        counts = rng.integers(0, 6, rng.integers(0, 15)).tolist()
        assert first_minimum([None, *(c / 7 for c in counts)]) == by_definition([None, *counts]), counts


def history(folder: Path) -> list[dict[str, str]]:
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wave")
    tiny.train(tiny.job(count=2, recipe=RECIPE), folder)
    return folder


def test_the_history_counts_the_changed_predictions(trained: Path):
    training = tiny.training_data()
    problem = make_problem(training, RECIPE, tiny.N_CLASSES, torch.device("cpu"))
    network = initial_network(RECIPE.architecture, problem, "teacher", 0).eval()
    kept, before = safetensors.torch.load_file(trained / "weights.safetensors"), None
    for line in history(trained)[:12]:
        network.load_state_dict(within(kept, f"0/epoch-{line['epoch']}/"))
        with torch.no_grad():
            predicted = network(problem.train.plain(slice(None))).argmax(1).numpy()
        expected = "" if before is None else (predicted != before).mean()
        assert line["prediction_changes"] == "" if before is None else float(line["prediction_changes"]) == expected
        before = predicted


def test_the_network_of_that_epoch_is_kept_and_the_last_where_there_is_no_minimum(trained: Path):
    kept = safetensors.torch.load_file(trained / "weights.safetensors")
    for position, entry in enumerate(read_json(trained / "run.json")["replicates"]):
        lines = [line for line in history(trained) if line["seed"] == str(entry["seed"])]
        changes = [float(line["prediction_changes"]) if line["prediction_changes"] else None for line in lines]
        assert entry["label_wave_epoch"] == (first_minimum(changes) or 12)
        same = within(kept, f"{position}/epoch-{entry['label_wave_epoch']}/")
        assert same and all(torch.equal(kept[f"{position}/label_wave/{n}"], t) for n, t in same.items())


def test_asking_for_it_changes_no_other_byte(trained: Path, tmp_path: Path):
    tiny.train(tiny.job(count=2, recipe=replace(RECIPE, label_wave=False)), tmp_path)
    without = safetensors.torch.load_file(tmp_path / "weights.safetensors")
    kept = safetensors.torch.load_file(trained / "weights.safetensors")
    assert {name for name in kept if "/label_wave/" not in name} == set(without)
    assert all(torch.equal(kept[name], tensor) for name, tensor in without.items())
    assert tiny.outcome(tmp_path)[1] == tiny.outcome(trained)[1]
