"""Splitting, and the canonical form on disk."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.core.seeds import numpy_generator
from smearlab.datasets import digits
from smearlab.datasets._raw import RawData
from smearlab.datasets._splitting import make_dataset, stratified_choice
from smearlab.store.dataset import TRAIN, VALIDATION, read_test, read_training, write_dataset
from smearlab.store.files import sha256_array

SHARES = st.floats(0.1, 0.8)
SETTINGS = {"split_seed": 0, "validation": 0.2, "test": 0.25}
COUNTS = st.lists(st.integers(8, 40), min_size=2, max_size=6)
FRACTION = st.floats(0.1, 0.5)
SEED = st.integers(0, 2**31)


def raw_data(counts, split="", **changes):
    """Distinct 4x4 grey images, so many of each class, in mixed order."""
    labels = np.repeat(np.arange(len(counts)), counts)
    labels = np.random.default_rng(0).permutation(labels)
    images = np.arange(len(labels), dtype=">u8").view(np.uint8).reshape(-1, 2, 4, 1).repeat(2, axis=1)
    given_split = np.full(len(labels), split) if isinstance(split, str) else np.asarray(split)
    names = [f"class {c}" for c in range(len(counts))]
    raw = RawData(images, labels, None, given_split, names, source="mine.npz")
    return dataclasses.replace(raw, **changes)


def parts(canonical):
    """Source indices of the train, validation and test examples."""
    training, test = canonical.training, canonical.test
    return (
        training.source_index[training.part == TRAIN],
        training.source_index[training.part == VALIDATION],
        test.source_index,
    )


@given(COUNTS, FRACTION, FRACTION, SEED)
@settings(deadline=None, max_examples=60)
def test_every_example_is_in_exactly_one_part_with_its_own_image_and_label(counts, validation, test, seed):
    raw = raw_data(counts)
    canonical = make_dataset(raw, split_seed=seed, validation=validation, test=test)
    assert sorted(np.concatenate(parts(canonical))) == list(range(sum(counts)))
    for data in (canonical.training, canonical.test):
        np.testing.assert_array_equal(data.images, raw.images[data.source_index])
        np.testing.assert_array_equal(data.labels, raw.labels[data.source_index])
        assert (np.diff(data.source_index) > 0).all()


@given(COUNTS, FRACTION, FRACTION, SEED)
@settings(deadline=None, max_examples=60)
def test_parts_have_the_asked_sizes_and_are_stratified_within_one_example(counts, validation, test, seed):
    raw = raw_data(counts)
    train, held, tested = parts(make_dataset(raw, split_seed=seed, validation=validation, test=test))
    n = sum(counts)
    assert len(tested) == round(test * n)
    assert len(held) == round(validation * (n - len(tested)))
    for chosen, pool in ((tested, np.arange(n)), (held, np.concatenate([train, held]))):
        of_class = np.bincount(raw.labels[pool], minlength=len(counts))
        share = of_class * len(chosen) / len(pool)
        assert (np.abs(np.bincount(raw.labels[chosen], minlength=len(counts)) - share) < 1).all()


@given(SEED, SEED)
@settings(deadline=None, max_examples=20)
def test_the_seed_and_nothing_else_decides_the_split(seed, other):
    raw = raw_data([40, 40, 40])
    first, again = (parts(make_dataset(raw, **SETTINGS | {"split_seed": seed})) for _ in range(2))
    changed = parts(make_dataset(raw, **SETTINGS | {"split_seed": other}))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert (seed == other) == all(np.array_equal(a, b) for a, b in zip(first, changed, strict=True))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.floats(0, 1), SEED)
def test_stratified_choice_takes_each_share_to_within_one(strata, fraction, seed):
    strata = np.array(strata)
    size = round(fraction * len(strata))
    chosen = stratified_choice(strata, size, np.random.default_rng(seed))
    assert len(set(chosen.tolist())) == len(chosen) == size
    taken, there = np.bincount(strata[chosen], minlength=6), np.bincount(strata, minlength=6)
    assert (np.abs(taken - there * size / len(strata)) < 1).all()
    assert (taken <= there).all()


def test_left_over_examples_go_to_the_largest_remainder_then_to_the_first_class():
    def taken(counts, size):
        strata = np.repeat(np.arange(len(counts)), counts)
        return np.bincount(strata[stratified_choice(strata, size, np.random.default_rng(1))]).tolist()

    assert taken([6, 3], 3) == [2, 1]
    assert taken([5, 5], 5) == [3, 2]
    assert taken([10, 7, 3], 10) == [5, 4, 1]  # shares 5, 3.5, 1.5
    assert taken([10, 8, 2], 7) == [3, 3, 1]  # shares 3.5, 2.8, 0.7


def test_every_example_of_a_class_is_equally_likely():
    strata = np.repeat([0, 1], [4, 2])
    drawn = [stratified_choice(strata, 3, np.random.default_rng(seed)) for seed in range(3000)]
    share = np.bincount(np.concatenate(drawn), minlength=6) / 3000
    np.testing.assert_allclose(share, 0.5, atol=0.04)


def test_the_split_of_published_results_stays():
    rng = numpy_generator("split", "dataset", 0, 3)
    assert stratified_choice(np.repeat([0, 1, 2], 5), 6, rng).tolist() == [1, 4, 6, 7, 10, 12]


def test_a_smaller_subset_keeps_the_test_set_and_the_asked_number():
    raw = raw_data([40, 30, 20])
    whole, small = (make_dataset(raw, **SETTINGS, subset=subset) for subset in (None, 30))
    np.testing.assert_array_equal(whole.test.source_index, small.test.source_index)
    assert small.training.meta["n"] == 30
    assert small.training.meta["n_validation"] == round(0.2 * 30)
    assert set(small.training.source_index) < set(whole.training.source_index)
    there = np.bincount(whole.training.labels)
    assert (np.abs(np.bincount(small.training.labels) - there * 30 / there.sum()) < 1).all()


def test_test_subset_cuts_the_test_part_alone():
    raw = raw_data([40, 40])
    whole, small = (make_dataset(raw, **SETTINGS, test_subset=size) for size in (None, 6))
    np.testing.assert_array_equal(np.bincount(small.test.labels), [3, 3])
    assert set(small.test.source_index) < set(whole.test.source_index)
    np.testing.assert_array_equal(small.training.part, whole.training.part)


def test_a_given_test_part_is_kept_and_validation_carved_out_of_train():
    split = np.repeat(["train", "test"], [60, 20])
    train, held, tested = parts(make_dataset(raw_data([40, 40], split), **SETTINGS))
    assert tested.tolist() == list(range(60, 80))
    assert len(held) == 12 and sorted([*train, *held]) == list(range(60))


def test_a_split_with_all_three_parts_is_kept_whatever_the_fractions():
    split = np.repeat(["train", "validation", "test"], [50, 10, 20])
    canonical = make_dataset(raw_data([40, 40], split), split_seed=3, validation=0.4, test=0.4)
    train, held, tested = parts(canonical)
    assert [list(train), list(held), list(tested)] == [list(range(50)), list(range(50, 60)), list(range(60, 80))]


def test_a_given_validation_part_stays_when_test_is_drawn_and_a_subset_taken():
    split = np.repeat(["train", "validation"], [60, 20])
    train, held, tested = parts(make_dataset(raw_data([40, 40], split), **SETTINGS, subset=32))
    assert len(tested) == 15 and tested.max() < 60
    assert held.min() >= 60 and (len(train), len(held)) == (22, 10)  # 32 of 45 + 20 in proportion


def test_no_validation_part_is_allowed():
    canonical = make_dataset(raw_data([10, 10]), split_seed=0, validation=0, test=0.5)
    assert (canonical.training.part == TRAIN).all()
    assert canonical.training.meta["n_validation"] == 0


def test_without_clean_labels_the_noisy_ones_are_stratified_and_the_clean_ones_unknown():
    raw = raw_data([20, 20])
    noisy = dataclasses.replace(raw, labels=None, noisy_labels=raw.labels)
    canonical = make_dataset(noisy, **SETTINGS)
    assert (canonical.training.labels == -1).all() and (canonical.test.labels == -1).all()
    assert np.bincount(canonical.test.noisy_labels).tolist() == [5, 5]
    assert canonical.training.meta["n_classes"] == 2


def test_test_examples_may_lack_noisy_labels():
    split = np.repeat(["train", "test"], [60, 20])
    raw = raw_data([40, 40], split)
    noisy = np.where(split == "test", -1, 1 - raw.labels)
    canonical = make_dataset(dataclasses.replace(raw, noisy_labels=noisy), **SETTINGS)
    assert canonical.test.noisy_labels is None
    np.testing.assert_array_equal(canonical.training.noisy_labels, 1 - canonical.training.labels)


GOOD = raw_data([10, 10])
NO_ONES = np.zeros(20, dtype=np.int64)
REFUSED = {
    "images are float32 with 20 NaN, they must be uint8": {
        "images": np.where(np.arange(4)[:, None] == 0, np.nan, np.float32(1)).reshape(1, 2, 2, 1).repeat(20, 0)
    },
    "images are int64, they must be uint8": {"images": GOOD.images.astype(np.int64)},
    r"images have shape \(20, 3, 32, 32\)": {"images": np.zeros((20, 3, 32, 32), np.uint8)},
    r"images have shape \(0, 4, 4, 1\)": {"images": np.zeros((0, 4, 4, 1), np.uint8)},
    r"images have shape \(20,\)": {"images": np.zeros(20, np.uint8)},
    "labels are float64 with 1 NaN, they must be integers": {"labels": np.r_[np.nan, np.ones(19)]},
    r"labels have shape \(19,\), there are 20 examples": {"labels": GOOD.labels[:19]},
    "labels are bool": {"labels": GOOD.labels == 1},
    "2 of 20 labels are out of range, first 7 at index 3; allowed are 0 to 1": {
        "labels": np.r_[GOOD.labels[:3], 7, 9, GOOD.labels[5:]]
    },
    "1 of 20 labels are out of range, first -1 at index 0": {"labels": np.r_[-1, GOOD.labels[1:]]},
    "1 of 20 noisy_labels are out of range, first -1": {"noisy_labels": np.r_[-1, GOOD.labels[1:]]},
    "neither labels nor noisy_labels": {"labels": None},
    "1 of 2 classes have no training example: 'class 1'": {"labels": NO_ONES},
    r"split has shape \(3,\)": {"split": np.array(["train"] * 3)},
    "split is empty for 5 of 20 examples": {"split": np.repeat(["", "train"], [5, 15])},
    "split of 2 examples is 'tset'; allowed are train, validation, test": {
        "split": np.repeat(["tset", "train"], [2, 18])
    },
    "2 of 2 classes have no training example": {"split": np.full(20, "test")},
    "1 class, at least 2": {"class_names": ["one"], "labels": NO_ONES},
    "class names must differ; more than once: 'a'": {"class_names": ["a", "a"]},
    "class names need 1 to 200 printable characters": {"class_names": ["a\nb", "c"]},
}


@pytest.mark.parametrize("message", REFUSED)
def test_bad_data_are_refused_by_source_name_and_count(message):
    with pytest.raises(UserError, match=f"^mine.npz: .*{message}"):
        make_dataset(dataclasses.replace(GOOD, **REFUSED[message]), **SETTINGS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"validation": 1.0}, "validation is 1.0, of 15 examples"),
        ({"validation": -0.1}, "validation is -0.1"),
        ({"validation": float("nan")}, "validation is nan"),
        ({"validation": 0.001}, "validation is 0.001, of 15 examples; allowed are fractions that give at least one"),
        ({"test": 0}, "test is 0, of 20 examples"),
        ({"test": 1}, "test is 1, of 20 examples"),
        ({"subset": 16}, "subset is 16, there are 15 examples"),
        ({"subset": 0}, "subset is 0, there are 15 examples"),
        ({"test_subset": 6}, "test_subset is 6, there are 5 examples"),
        ({"subset": 1, "validation": 0}, "too few examples: of 1 that are left for training none is of 'class 0'"),
    ],
)
def test_impossible_cuts_are_refused(changes, message):
    with pytest.raises(UserError, match=f"^mine.npz: {message}"):
        make_dataset(GOOD, **SETTINGS | changes)


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=5), st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.integers(0, 99)
)
@settings(deadline=None, max_examples=150)
def test_no_draw_takes_the_last_training_example_of_a_class(counts, validation, test, seed):
    raw = raw_data([60, *counts])
    made = make_dataset(raw, **SETTINGS | {"validation": validation, "test": test, "split_seed": seed})
    left = np.bincount(made.training.labels[made.training.part == 0], minlength=len(counts) + 1)
    assert (left > 0).all()
    assert len(made.training.labels) + len(made.test.labels) == len(raw.labels)


def test_a_class_seen_once_stays_in_training_and_the_other_parts_say_that_they_lack_it():
    made = make_dataset(raw_data([20, 1]), **SETTINGS)
    assert made.training.labels[made.training.part == 0].tolist().count(1) == 1
    assert made.training.meta["notes"] == ["1 of 2 classes have no validation example: 'class 1'"]
    assert made.test.meta["notes"] == ["1 of 2 classes have no test example: 'class 1'"]


@pytest.mark.parametrize("subset", [2, 3, 10, 60])
def test_a_subset_keeps_a_class_seen_once_and_its_own_size(subset):
    split = np.repeat(["train", "test"], [60, 20])
    raw = raw_data([79, 1], split)
    labels = np.zeros(80, dtype=np.int64)
    labels[17] = 1
    made = make_dataset(dataclasses.replace(raw, labels=labels), **SETTINGS | {"subset": subset, "validation": 0})
    assert len(made.training.labels) == subset and made.training.labels.sum() == 1


def test_all_classes_seen_once_leave_nothing_to_test():
    with pytest.raises(UserError, match="too few examples to split off a test part: none is left over of any class"):
        make_dataset(raw_data([1, 1, 1, 1]), **SETTINGS)


def test_a_class_without_examples_is_carried_and_said():
    raw = dataclasses.replace(raw_data([20, 20]), class_names=["class 0", "class 1", "none"])
    made = make_dataset(raw, **SETTINGS)
    assert made.training.meta["class_counts"][2] == 0 and made.training.meta["n_classes"] == 3
    assert made.training.meta["notes"][0] == "1 of 3 classes have no training example: 'none'"


def test_a_class_of_test_examples_alone_is_carried_and_said():
    raw = raw_data([20, 20, 4])
    raw = dataclasses.replace(raw, split=np.where(raw.labels == 2, "test", "train"))
    made = make_dataset(raw, **SETTINGS)
    assert set(made.test.labels) == {2}
    assert made.training.meta["notes"][0] == "1 of 3 classes have no training example: 'class 2'"


def test_labels_from_1_are_not_taken_for_an_empty_class():
    raw = raw_data([20, 20, 20])
    raw = dataclasses.replace(raw, labels=raw.labels + 1, class_names=["0", "1", "2", "3"])
    with pytest.raises(UserError, match="do labels count from 1"):
        make_dataset(raw, **SETTINGS)


def test_classes_absent_from_validation_or_test_are_noted_by_name():
    split = np.repeat(["train", "test"], [60, 20])
    raw = raw_data([40, 20, 20], split)
    labels = np.r_[raw.labels[:60], np.zeros(20, dtype=np.int64)]
    canonical = make_dataset(dataclasses.replace(raw, labels=labels), **SETTINGS | {"validation": 0.02})
    assert canonical.training.meta["notes"] == ["2 of 3 classes have no validation example: 'class 1', 'class 2'"]
    assert canonical.test.meta["notes"] == ["2 of 3 classes have no test example: 'class 1', 'class 2'"]


def with_copies(n):
    """Twenty test images, n of which are copies of train images."""
    split = np.repeat(["train", "test"], [60, 20])
    raw = raw_data([40, 40], split)
    images = raw.images.copy()
    images[60 : 60 + n] = images[:n]
    return dataclasses.replace(raw, images=images)


def test_copies_of_training_images_in_the_test_set_are_counted():
    canonical = make_dataset(with_copies(7), **SETTINGS)
    assert canonical.test.meta["notes"] == ["7 of 20 test images are copies of train or validation images"]
    assert make_dataset(with_copies(0), **SETTINGS).test.meta["notes"] == []


def test_a_test_set_that_is_mostly_copies_is_refused():
    make_dataset(with_copies(10), **SETTINGS)
    with pytest.raises(UserError, match="11 of 20 test images are copies"):
        make_dataset(with_copies(11), **SETTINGS)


@pytest.fixture
def written(tmp_path):
    raw = raw_data([20, 20])
    canonical = make_dataset(dataclasses.replace(raw, noisy_labels=1 - raw.labels, notes=["a note"]), **SETTINGS)
    write_dataset(canonical, tmp_path / "mine-01234567")
    return canonical, tmp_path / "mine-01234567"


def assert_same(read, made):
    for field in dataclasses.fields(made):
        if field.name != "meta":
            np.testing.assert_array_equal(getattr(read, field.name), getattr(made, field.name))
    assert made.meta.items() <= read.meta.items()


def test_what_is_written_is_read_back(written):
    canonical, folder = written
    assert_same(read_training(folder), canonical.training)
    assert_same(read_training(str(folder / "training.npz")), canonical.training)
    assert_same(read_test([folder / "test.json", folder / "test.npz"]), canonical.test)
    assert read_training(folder).meta["notes"] == ["a note"]


def test_the_files_are_readable_without_this_package(written):
    canonical, folder = written
    meta = json.loads((folder / "training.json").read_text())
    with np.load(folder / "training.npz") as arrays:
        assert set(arrays) == {"images", "labels", "noisy_labels", "part", "source_index"}
        assert {name: array.dtype.name for name, array in arrays.items()} == {
            "images": "uint8",
            "labels": "int64",
            "noisy_labels": "int64",
            "part": "uint8",
            "source_index": "int64",
        }
        assert {name: sha256_array(array) for name, array in arrays.items()} == meta["sha256"]
        assert (meta["n"], meta["n_train"], meta["n_validation"], meta["n_classes"]) == (30, 24, 6, 2)
        assert meta["shape"] == [4, 4, 1]
        assert meta["class_names"] == ["class 0", "class 1"]
    assert canonical.test.meta["n"] == 10


def test_absent_noisy_labels_are_no_array(tmp_path):
    write_dataset(make_dataset(raw_data([20, 20]), **SETTINGS), tmp_path)
    assert "noisy_labels" not in np.load(tmp_path / "training.npz")
    assert read_training(tmp_path).noisy_labels is None


def test_the_same_data_give_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        write_dataset(make_dataset(digits.load(), **SETTINGS), tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["test.json", "test.npz", "training.json", "training.npz"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@given(data=st.data(), stem=st.sampled_from(["training", "test"]), suffix=st.sampled_from(["npz", "json"]))
@settings(deadline=None, max_examples=150)
def test_a_damaged_file_is_refused_by_name_or_harmless(tmp_path_factory, data, stem, suffix):
    """One flipped bit or a cut: a clear error, or exactly the data that were written; never other data."""
    canonical = make_dataset(GOOD, **SETTINGS)
    folder = tmp_path_factory.mktemp("damaged")
    write_dataset(canonical, folder)
    path = folder / f"{stem}.{suffix}"
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(good[:at] if data.draw(st.booleans()) else bad)
    try:
        read = {"training": read_training, "test": read_test}[stem](folder)
    except UserError as error:
        assert str(folder / stem) in str(error)
        assert "\n" not in str(error)
    else:
        assert_same(read, getattr(canonical, stem))


def test_a_changed_image_is_named_with_its_file(written):
    _, folder = written
    with np.load(folder / "training.npz") as arrays:
        changed = dict(arrays)
    changed["images"][0, 0, 0, 0] ^= 1
    np.savez(folder / "training.npz", **changed)
    with pytest.raises(UserError, match=r"training\.npz: 'images' does not match its SHA-256 in training\.json"):
        read_training(folder)


def test_a_changed_class_name_is_noticed(written):
    _, folder = written
    path = folder / "test.json"
    path.write_text(path.read_text().replace("class 1", "class 7"))
    with pytest.raises(UserError, match=r"test\.json: does not match its own checksum"):
        read_test(folder)


def test_absent_files_are_named(written):
    _, folder = written
    (folder / "training.npz").unlink()
    with pytest.raises(UserError, match=r"training\.npz: no such file"):
        read_training(folder)
    (folder / "test.json").unlink()
    with pytest.raises(UserError, match=r"test\.json: no such file"):
        read_test(folder)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("labels", np.full(30, 2), "'labels' holds a class beyond 1"),
        ("labels", np.full(30, -2), "'labels' must be int64"),
        ("labels", np.zeros(30, np.int32), "'labels' must be int64"),
        ("noisy_labels", np.zeros(29, np.int64), "'noisy_labels' must be int64"),
        ("images", np.zeros((30, 4, 4, 3), np.uint8), "images are uint8"),
        ("part", np.full(30, 2, np.uint8), "'part' must be 0 or 1"),
        ("more", np.zeros(3), "holds .*'more'"),
    ],
)
def test_arrays_that_agree_with_their_hashes_but_not_with_the_form_are_refused(written, name, array, message):
    canonical, folder = written
    training = canonical.training
    if name == "more":
        with np.load(folder / "training.npz") as arrays:
            np.savez(folder / "training.npz", **arrays, more=array)
    else:
        wrong = dataclasses.replace(training, **{name: array})
        write_dataset(dataclasses.replace(canonical, training=wrong), folder)
    with pytest.raises(UserError, match=rf"training\.npz: {message}"):
        read_training(folder)
