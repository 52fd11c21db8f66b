"""Replicates that draw their own split: what is refused, what stays where it was, and what the intervals then cover."""

import numpy as np
import pytest
from scipy import stats
from statistics_rows import frame, teacher

from configs import config
from smearlab.cli.foresee import hypotheses
from smearlab.cli.trial import tried
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import nodes_of
from smearlab.grid.jobs import collection_job
from smearlab.grid.registration import terms
from smearlab.statistics.paired import Difference
from smearlab.statistics.resampled import resampled
from smearlab.statistics.summary import summarise

REDRAWN = (("replicates", {"blocks": 3, "splits": "redrawn"}), ("recipes.small.block_size", 1))
VALUES = (0.01, 0.03, 0.02, 0.05, -0.01)


def refused(*changes):
    with pytest.raises(UserError) as error:
        load_grid(config(*REDRAWN, *changes))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_cannot_be_redrawn_is_refused_in_one_line():
    assert "recipes.small.block_size: 5: with replicates.splits: redrawn" in refused(("recipes.small.block_size", 5))
    assert "splits: redrawn goes with design: paired" in refused(("replicates.design", "crossed"))
    assert "'twice': should be 'fixed' or 'redrawn'" in refused(("replicates.splits", "twice"))
    mnist = {"kind": "mnist", "subset": 200}
    assert refused(("datasets", {"mnist": mnist})).startswith(
        "config: datasets.mnist: replicates.splits: redrawn has no test part to draw: 10000 examples are the test part"
    )
    twice = {"a": {"kind": "digits"}, "b": {"kind": "digits", "split_seed": 1}}
    assert "a and b share splits as different replicates" in refused(("datasets", twice))
    apart = {"a": {"kind": "digits"}, "b": {"kind": "digits", "split_seed": 3}}
    assert len(load_grid(config(*REDRAWN, ("datasets", apart))).datasets) == 6


def test_own_data_with_a_test_part_or_with_some_true_labels_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images, labels = np.zeros((40, 8, 8), np.uint8), np.arange(40) % 4
    own = (("datasets", {"own": {"kind": "arrays", "path": "own.npz"}}), ("recipes.small.architecture", "cnn"))
    np.savez("own.npz", images=images, labels=labels)
    assert len(load_grid(config(*REDRAWN, *own)).datasets) == 3
    np.savez("own.npz", images=images, labels=labels, split=np.where(labels == 0, "test", "train"))
    assert "10 examples are the test part of the data itself" in refused(*own)
    np.savez("own.npz", images=images, labels=np.where(labels == 0, labels, -1), noisy_labels=labels)
    known = (("noises", {"given": {"kind": "labels"}}), ("methods", ["cross_entropy"]), ("students", []))
    assert "needs true labels of all examples or of none" in refused(*own, *known)


def test_check_says_of_many_splits_of_one_data_set_once_what_is_the_same():
    said = tried(load_grid(config(*REDRAWN)))
    assert len(said) == len(set(said)) and sum("to train" in line for line in said) == 1


def test_without_it_every_job_and_the_registered_config_stay_as_they_were():
    fixed = load_grid(config(("replicates", {"blocks": 1, "splits": "fixed"})))
    plain = load_grid(config())
    assert [node.decide() for node in nodes_of(fixed)] == [node.decide() for node in nodes_of(plain)]
    assert terms(fixed) == terms(plain) and set(collection_job(plain).replicates) == {"design", "blocks"}
    assert len(plain.named) == len(plain.rows)


def test_each_replicate_has_a_split_of_its_own_shared_by_all_methods_and_the_first_is_that_of_the_config():
    grid = load_grid(config(*REDRAWN))
    fixed = load_grid(config(("recipes.small.block_size", 1)))
    assert [d.settings["split_seed"] for d in grid.datasets.values()] == [0, 1, 2]
    assert set(fixed.cells) < set(grid.cells) and next(iter(grid.datasets)) == next(iter(fixed.datasets))
    for cell in grid.cells.values():
        (block,) = grid.blocks(cell)
        assert block == f"paired-{cell.labels.dataset.split}"
        assert [r.seed for r in cell.replicates(block)] == [cell.labels.dataset.split]
        assert cell.teacher is None or cell.teacher.labels.dataset == cell.labels.dataset


def test_the_tables_know_a_cell_once_and_the_plan_counts_its_replicates():
    grid, fixed = load_grid(config(*REDRAWN)), load_grid(config(("recipes.small.block_size", 1)))
    assert [row.columns for row in grid.named.values()] == [row.columns for row in fixed.rows]
    assert {grid.in_tables(cell) for cell in grid.cells.values()} == set(fixed.cells)
    found = hypotheses(grid)
    assert found.keys() == hypotheses(fixed).keys() and set(found.values()) == {3}


def test_the_interval_for_other_data_is_that_of_nadeau_and_bengio():
    """Without overlap it is Student's; with n_test / n_train = 1/n the half-width is √2 times as wide."""
    difference = Difference(VALUES)
    alone, low_high = difference.interval(), resampled(difference, 0.0)
    assert low_high == pytest.approx(alone)
    low, high = resampled(difference, 1 / 5)
    assert (high - low) / (alone[1] - alone[0]) == pytest.approx(2**0.5)
    half = stats.t.ppf(0.975, 4) * np.std(VALUES, ddof=1) * np.sqrt(1 / 5 + 0.4)
    assert resampled(difference, 0.4) == pytest.approx((0.02 - half, 0.02 + half))
    assert resampled(Difference(VALUES[:2]), 0.4) is None and resampled(Difference((0.1,) * 5), 0.4) is None


def test_the_summary_takes_it_at_the_level_of_the_simultaneous_interval():
    plain = np.array([0.7, 0.72, 0.69, 0.71, 0.7])
    cells = [teacher("cross_entropy", plain), teacher("label_smoothing", plain + VALUES, 0.1)]
    metrics = frame(*cells, teacher("label_smoothing", plain + 0.001 + VALUES, 0.4))
    row = summarise(metrics, margin=0.5, redrawn={"digits": 0.4}).set_index("alpha").loc[0.1]
    half = stats.t.ppf(0.975, 4) * np.std(VALUES, ddof=1) * np.sqrt(1 / 5 + 0.4)  # a lone headline
    assert (row["ci_low_examples"], row["ci_high_examples"]) == pytest.approx((0.02 - half, 0.02 + half))
    assert row["ci_low"] == pytest.approx(Difference(VALUES).interval()[0])
    without = summarise(metrics, margin=0.5)
    assert without["ci_low_examples"].isna().all()


def test_the_split_is_part_of_what_the_interval_holds_where_it_is_drawn():
    """Made: a gain of 0 over all splits, and 2 points on one of them.

    Ten replicates on that one find a gain in nearly every grid; ten splits in 5 % of 400.
    """
    draw = np.random.default_rng(3)
    luck, training = draw.normal(0, 0.02, (400, 10)), draw.normal(0, 0.005, (400, 10))
    fixed = [Difference(tuple(0.02 + t)).p_value < 0.05 for t in training]
    redrawn = [Difference(tuple(s + t)).p_value < 0.05 for s, t in zip(luck, training, strict=True)]
    assert np.mean(fixed) > 0.99 and abs(np.mean(redrawn) - 0.05) < 2.5 * (0.05 * 0.95 / 400) ** 0.5


def test_overlapping_splits_of_a_sample_say_too_little_of_other_data_and_the_correction_says_enough():
    """Made: test examples of a sample of 200 that differ by 0 in all the world; ten splits hold out half of them.

    Student's interval over the splits leaves the truth out in most samples, the corrected one in at most 5 %.
    """
    draw, student, corrected = np.random.default_rng(4), [], []
    for _ in range(200):
        sample = draw.normal(0, 1, 200)
        found = Difference(tuple(float(np.mean(draw.permutation(sample)[:100])) for _ in range(10)))
        student.append(found.interval()[0] > 0 or found.interval()[1] < 0)
        low, high = resampled(found, 1.0)
        corrected.append(low > 0 or high < 0)
    assert np.mean(student) > 0.3 and np.mean(corrected) <= 0.05
