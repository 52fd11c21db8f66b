"""Folders and tables of labels laid out as others do it: used as asked, or said what is not used."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smearlab.core.errors import UserError
from smearlab.datasets import arrays, folder
from smearlab.datasets._raw import check_raw
from smearlab.datasets._splitting import make_dataset

NUMBERS = [str(i) for i in range(1, 13)]
SPLIT = {"split_seed": 0, "validation": 0.25, "test": 0.25}


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make(part, classes, n=2, root="pets"):
    """Save n pictures a class, all different; return their names below the root."""
    names = [f"{part}/{c}/{c}_{part[:1]}{i}.png" for c in classes for i in range(n)]
    for name in names:
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return names


def table(rows, header="path,label"):
    Path("labels.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def load(**options):
    raw = folder.load(path="pets", **options)
    check_raw(raw)
    return raw


@pytest.mark.parametrize("labels", [[str(i) for i in range(12)], [str(int(n) - 1) for n in sorted(NUMBERS)]])
def test_indices_for_numbered_folders_are_refused_with_both_readings(labels):
    names = make("train", sorted(NUMBERS), n=1)
    table([f"{name},{label}" for name, label in zip(names, labels, strict=True)])
    with pytest.raises(UserError, match=r"as class names .*as indices .*the classes are 0 = 1, 1 = 10, 2 = 11"):
        load(labels_csv="labels.csv")


def test_names_of_numbered_folders_are_names():
    names = make("train", NUMBERS, n=1)
    table([f"{name},{name.split('/')[1]}" for name in names])
    raw = load(labels_csv="labels.csv")
    assert (raw.noisy_labels == raw.labels).all()


def test_names_that_could_be_indices_too_are_names_where_the_folders_prove_it():
    names = make("train", NUMBERS[:10], n=3)  # 1 to 10; no label is 10, so all could be indices
    given = [name.split("/")[1] if "/10/" not in name else "9" for name in names]
    table([f"{name},{label}" for name, label in zip(names, given, strict=True)])
    raw = load(labels_csv="labels.csv")
    assert [raw.class_names[y] for y in raw.noisy_labels] == [given[names.index(n)] for n in sorted(names)]
    rng = np.random.default_rng(0)
    table([f"{name},{label}" for name, label in zip(names, rng.permutation(given), strict=True)])
    with pytest.raises(UserError, match=r"as class names .* or as indices"):
        load(labels_csv="labels.csv")


def test_counting_from_one_is_named():
    names = make("train", ["ant", "bee", "cow"])
    table([f"{name},{i // 2 + 1}" for i, name in enumerate(names)])
    with pytest.raises(UserError, match=r"2 labels are neither .* they count from 1 to 3, and classes count from 0"):
        load(labels_csv="labels.csv")


LABELS = ["bee", "ant", "bee", "bee"]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("path,label", "{0},{1}"),
        ("\ufeffpath,label", "{0},{1}"),
        ("label,path", "{1},{0}"),
        (",path,label", "7,{0},{1}"),
        ("path;label", "{0};{1}"),
        ("path\tlabel", "{0}\t{1}"),
        ("path,label", '"{0}",{1}'),
        ("path,label", "/home/me/pets/{0},{1}"),
        ("path,label", "./{0},{1}"),
    ],
)
def test_a_table_of_labels_in_any_dialect(header, line):
    names = make("train", ["ant", "bee"])
    rows = list(zip(names, LABELS, strict=True))
    table([line.format(*row) for row in reversed(rows)], header)
    assert load(labels_csv="labels.csv").noisy_labels.tolist() == [1, 0, 1, 1]


def test_a_table_of_several_noise_levels_says_which_is_meant():
    names = make("train", ["ant", "bee"])
    table([f"{n},ant,{y}" for n, y in zip(names, LABELS, strict=True)], "file,noise_5,noise_50")
    found = load(labels_csv="labels.csv", path_column="file", labels_column="noise_50")
    assert found.noisy_labels.tolist() == [1, 0, 1, 1]
    with pytest.raises(UserError, match="must name the columns path,label; it holds 'file', 'noise_5', 'noise_50': pa"):
        load(labels_csv="labels.csv")
    with pytest.raises(UserError, match="columns of labels_csv, which is not given"):
        folder.has_clean_labels(path="pets", labels_column="noise_50")


def test_val_beside_train_is_used_as_asked_or_said():
    train, val = make("train", ["ant", "bee"]), make("val", ["ant", "bee"], n=1)
    plain = load()
    assert len(plain.images) == len(train) and set(plain.split) == {""}
    assert plain.notes == [
        "folders that are not used: 'val'; validation_folder or test_folder would name one as that part"
    ]
    for option, part in (("validation_folder", "validation"), ("test_folder", "test")):
        raw = load(**{option: "val"})
        assert raw.split.tolist() == ["train"] * 4 + [part] * 2
        assert raw.notes == []
        options = {"path": "pets", option: "val"}
        assert folder.sizes(**options) == ((6, 6) if part == "validation" else (4, 6))
        assert folder.example_names(**options) == train + val
        assert folder.fingerprint(**options) != folder.fingerprint(path="pets")


def test_folders_of_parts_that_cannot_be_are_refused():
    make("train", ["ant", "bee"])
    make("val", ["ant", "bee"])
    for options, message in (
        ({"test_folder": "tests"}, "test_folder: 'tests' is no folder there"),
        ({"test_folder": "val", "validation_folder": "val"}, "one folder cannot be two of"),
        ({"test_folder": "train"}, "one folder cannot be two of"),
    ):
        for use in (folder.load, folder.fingerprint, folder.count):
            with pytest.raises(UserError, match=message):
                use(path="pets", **options)


def test_a_folder_of_another_purpose_is_not_worth_a_note():
    make("train", ["ant", "bee"])
    Path("pets/meta").mkdir()
    assert load().notes == []


def test_labels_of_a_part_that_is_not_used_name_the_way_to_use_it():
    names = make("train", ["ant", "bee"]) + make("val", ["ant", "bee"])
    table([f"{name},{name.split('/')[1]}" for name in names])
    with pytest.raises(UserError, match=r"4 paths are no images .*the folder val is not used, test_folder: val would"):
        load(labels_csv="labels.csv")
    assert (load(labels_csv="labels.csv", test_folder="val").noisy_labels == [0, 0, 1, 1] * 2).all()


def test_a_class_of_one_image_stays_in_training():
    make("train", ["ant", "bee"], n=8)
    make("train", ["yak"], n=1)
    made = make_dataset(load(), **SPLIT)
    assert made.training.labels[made.training.part == 0].tolist().count(2) == 1
    assert made.test.meta["notes"] == ["1 of 3 classes have no test example: 'yak'"]


def test_the_scale_of_sixteen_bits_is_named():
    make("train", ["ant", "bee"])
    Image.fromarray(np.full((6, 6), 40_000, np.uint16)).save("pets/train/ant/deep.png")
    with pytest.raises(UserError, match=r"8 bits per channel: scale .* \(the full range of 16 bits: divide by 257\)"):
        load()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((6, 4, 4), 4095, np.uint16), "images are uint16, .* they run from 4095 to 4095: .* divide by 257"),
        (np.full((6, 4, 4), 0.5), "images are float64.* they run from 0.5 to 0.5: .* multiply by 255"),
    ],
)
def test_arrays_of_another_scale_are_refused_with_it(images, message):
    np.savez("own.npz", images=images, labels=[0, 1] * 3)
    with pytest.raises(UserError, match=message):
        arrays.load(path="own.npz")


def test_arrays_of_labels_that_are_none_are_named():
    images = np.random.default_rng(0).integers(0, 256, (12, 4, 4), dtype=np.uint8)
    np.savez("own.npz", images=images, labels=[0, 1] * 6, noisy_labels=np.eye(2, dtype=int)[[0, 1] * 6])
    with pytest.raises(UserError, match=r"noisy_labels have shape \(12, 2\), .* one-hot rows: give \.argmax\(axis=1\)"):
        arrays.load(path="own.npz")
    np.savez("own.npz", images=images, labels=[1, 2] * 6)
    with pytest.raises(UserError, match="'0'; do labels count from 1"):
        make_dataset(arrays.load(path="own.npz"), **SPLIT)
