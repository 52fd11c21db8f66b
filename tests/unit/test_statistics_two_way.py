"""The interval for replicates and test examples that are both drawn."""

import numpy as np
import pytest
from scipy import stats
from statistics_rows import frame, teacher

from smearlab.statistics.summary import summarise
from smearlab.statistics.two_way import two_way
from smearlab.store.correct import Correct, read_correct, read_right, write_correct

SEEDS = [(k, k) for k in range(5)]


def pair(rng, n=5, examples=200, of_replicates=0.0, of_examples=0.0):
    """Two cells whose difference varies by replicate and by example, 0.05 in truth."""
    chance = 0.75 + rng.normal(0, of_replicates, (n, 1)) + rng.normal(0, of_examples, examples)
    one, other = rng.random((n, examples)) < chance, rng.random((n, examples)) < 0.70
    return Correct(SEEDS[:n], one), Correct(SEEDS[:n], other)


def difference(one, other):
    return one.right.astype(float) - other.right


def test_it_adds_the_random_effects_of_a_two_way_layout_by_hand():
    one, other = pair(np.random.default_rng(1), of_examples=0.2)
    found = difference(one, other)
    n, examples = found.shape
    grand, rows, columns = found.mean(), found.mean(axis=1), found.mean(axis=0)
    ms_examples = n * np.sum((columns - grand) ** 2) / (examples - 1)
    ms_rest = np.sum((found - rows[:, None] - columns + grand) ** 2) / ((n - 1) * (examples - 1))
    half_replicates = stats.t(n - 1).ppf(0.975) * rows.std(ddof=1) / np.sqrt(n)
    half_examples = stats.norm.ppf(0.975) * np.sqrt(max(0, ms_examples - ms_rest) / (n * examples))
    half = np.hypot(half_replicates, half_examples)
    assert half_examples > 0 and two_way(one, other) == pytest.approx((grand - half, grand + half))


def test_it_is_never_narrower_than_the_interval_of_replicates():
    rng = np.random.default_rng(2)
    for _ in range(50):
        one, other = pair(rng, of_replicates=0.02)
        plain = stats.ttest_1samp(difference(one, other).mean(axis=1), 0).confidence_interval(0.95)
        low, high = two_way(one, other)
        assert low <= plain.low + 1e-12 and high >= plain.high - 1e-12


def test_it_covers_the_truth_where_the_interval_of_replicates_alone_does_not():
    """300 draws of few, very different examples: the plain interval misses often, the other in about 5 %."""
    rng, missed = np.random.default_rng(3), np.zeros(2)
    for _ in range(300):
        easy = rng.random(60) < 0.5  # on these the one is right and the other wrong, else the reverse: truth 0
        noise = rng.random((2, 5, 60)) < 0.02
        one, other = (Correct(SEEDS, side ^ wrong) for side, wrong in zip((easy, ~easy), noise, strict=True))
        low, high = two_way(one, other)
        plain = stats.ttest_1samp(difference(one, other).mean(axis=1), 0).confidence_interval(0.95)
        missed += (not plain.low <= 0 <= plain.high, not low <= 0 <= high)
    assert missed[0] > 150 and missed[1] <= 24


def test_a_crossed_design_counts_noise_seeds_and_too_few_give_none():
    rng = np.random.default_rng(4)
    one, other = pair(rng, n=4)
    crossed = [(n, s) for n in range(2) for s in range(2)]
    assert two_way(Correct(crossed, one.right), Correct(crossed, other.right)) is None
    assert two_way(Correct([(9, k) for k in range(4)], one.right), other) is None
    assert two_way(*pair(rng, n=2)) is None


def test_the_summary_has_it_at_the_level_of_the_simultaneous_interval():
    rng = np.random.default_rng(5)
    sides = [pair(rng, of_examples=0.2) for _ in range(3)]
    correct = {"plain": sides[0][1], **{f"gce{k}": side[0] for k, side in enumerate(sides)}}
    accuracies = {cell: found.right.mean(axis=1) for cell, found in correct.items()}
    cells = [teacher(accuracies=accuracies["plain"], cell="plain")]
    cells += [teacher("gce", accuracies[f"gce{k}"], options=str(k), cell=f"gce{k}") for k in range(3)]
    row = summarise(frame(*cells), margin=0.5, correct=correct).iloc[1]
    expected = two_way(correct["gce0"], correct["plain"], 1 - 0.05 / 3)
    assert (row["ci_low_examples"], row["ci_high_examples"]) == pytest.approx(expected)
    assert row["ci_low_examples"] <= row["ci_low_simultaneous"] + 1e-9


def test_what_is_right_comes_back_from_the_file_and_from_the_margins(tmp_path):
    one, other = pair(np.random.default_rng(6), examples=13)
    write_correct(tmp_path / "correct.npz", {"teachers/a": one, "teachers/b": other})
    back = read_correct(tmp_path / "correct.npz")
    assert list(back) == ["teachers/a", "teachers/b"] and read_correct(tmp_path / "absent.npz") == {}
    assert np.array_equal(back["teachers/b"].right, other.right) and back["teachers/b"].replicates == SEEDS
    margins = np.where(one.right, 2.0, -1.0).astype(np.float16)
    margins[1] = np.nan  # diverged
    seeds = dict(zip(("noise_seed", "seed"), np.array(SEEDS).T, strict=True))
    np.savez(tmp_path / "examples.npz", test_margin=margins, **seeds)
    found = read_right([tmp_path / "examples.npz"])
    assert found.replicates == SEEDS[:1] + SEEDS[2:] and np.array_equal(found.right, one.right[[0, 2, 3, 4]])
    np.savez(tmp_path / "unknown.npz", test_margin=margins * np.nan, **seeds)
    assert read_right([tmp_path / "unknown.npz"]) is None
