"""The user's own image files, friendly and hostile."""

import os
import shutil
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smearlab.core.errors import UserError
from smearlab.datasets import folder
from smearlab.datasets._raw import check_raw

ROOT = Path("pets")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def pixels(seed, height=6, width=6, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8).squeeze()


def save(name, array, root=ROOT):
    path = Path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


@pytest.fixture
def pets():
    """Three train images and one test image per class; returns what was drawn, by name."""
    drawn = {}
    for c, class_name in enumerate(("cat", "dog")):
        for i in range(3):
            drawn[f"train/{class_name}/{i}.png"] = pixels(10 * c + i)
        drawn[f"test/{class_name}/9.png"] = pixels(10 * c + 9)
    for name, array in drawn.items():
        save(name, array)
    return drawn


def test_images_come_sorted_with_the_label_of_their_folder(pets):
    raw = folder.load(path="pets")
    order = [name for name in sorted(pets) if name.startswith("train")] + ["test/cat/9.png", "test/dog/9.png"]
    np.testing.assert_array_equal(raw.images, np.stack([pets[name] for name in order]))
    assert raw.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    assert raw.split.tolist() == ["train"] * 6 + ["test"] * 2
    assert raw.class_names == ["cat", "dog"] == folder.class_names(path="pets")
    assert raw.noisy_labels is None
    check_raw(raw)


def test_without_a_test_folder_the_split_is_left_open():
    for name in ("train/a/0.png", "train/b/0.png"):
        save(name, pixels(0))
    assert folder.load(path="pets").split.tolist() == ["", ""]


def test_a_validation_folder_is_kept(pets):
    save("validation/dog/0.png", pixels(50))
    raw = folder.load(path="pets")
    assert raw.split.tolist() == ["train"] * 6 + ["validation"] + ["test"] * 2
    assert raw.labels[6] == 1


def test_grey_files_give_one_channel_and_one_colour_file_gives_three():
    for i, name in enumerate(("train/a/0.png", "train/b/0.png")):
        save(name, pixels(i, channels=1))
    grey = folder.load(path="pets").images
    assert grey.shape == (2, 6, 6, 1)
    np.testing.assert_array_equal(grey[0, :, :, 0], pixels(0, channels=1))
    save("train/b/1.png", pixels(2))
    mixed = folder.load(path="pets").images
    np.testing.assert_array_equal(mixed[0], np.repeat(grey[0], 3, axis=2))


def test_palettes_transparency_and_bits_are_unfolded(pets):
    colour = Image.fromarray(pixels(1)).quantize(4)
    colour.save("pets/train/cat/0.png", transparency=b"\0\1")
    save("train/cat/1.png", pixels(2, channels=4))
    Image.fromarray(pixels(3, channels=1)).convert("1").save("pets/train/cat/2.png")
    images = folder.load(path="pets").images
    palette = np.reshape(colour.getpalette(), (-1, 3))
    np.testing.assert_array_equal(images[0], palette[np.asarray(colour)])
    np.testing.assert_array_equal(images[1], pixels(2, channels=4)[..., :3])
    assert set(np.unique(images[2])) <= {0, 255}


def test_size_takes_the_centred_square_and_leaves_images_of_that_size_alone(pets):
    wide = np.zeros((6, 12, 3), np.uint8)
    wide[:, 3:9] = pixels(7)
    save("train/cat/0.png", wide)
    save("train/cat/1.png", np.full((30, 18, 3), 77, np.uint8))
    images = folder.load(path="pets", size=6).images
    np.testing.assert_array_equal(images[0], pixels(7))
    np.testing.assert_array_equal(images[1], 77)
    np.testing.assert_array_equal(images[2], pets["train/cat/2.png"])


def test_size_also_applies_where_all_images_agree(pets):
    assert folder.load(path="pets", size=4).images.shape == (8, 4, 4, 3)


def test_without_size_the_first_image_that_differs_is_named(pets):
    save("train/cat/2.png", pixels(0, width=7))
    save("train/dog/1.png", pixels(0, height=9))
    message = r"train/cat/0\.png is 6x6, train/cat/2\.png is 7x6 \(2 of 8 differ\); set `size`"
    with pytest.raises(UserError, match=message):
        folder.load(path="pets")


def test_rectangles_are_kept_without_size():
    for name in ("train/a/0.png", "train/b/0.png"):
        save(name, pixels(0, height=5, width=8))
    assert folder.load(path="pets").images.shape == (2, 5, 8, 3)


def test_hidden_files_are_left_out(pets):
    for name in (".DS_Store", "train/.DS_Store", "train/cat/.DS_Store", "train/cat/Thumbs.db"):
        Path(ROOT, name).write_bytes(b"junk")
    assert len(folder.load(path="pets").images) == 8


def csv(*lines, header="path,label"):
    Path("labels.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder.load(path="pets", labels_csv="labels.csv")


TRAIN = [f"train/{c}/{i}.png" for c in ("cat", "dog") for i in range(3)]


def test_noisy_labels_are_names_or_indices_and_need_not_speak_of_test(pets):
    for labels in (["cat", "dog", "dog", "cat", "cat", "dog"], [0, 1, 1, 0, 0, 1]):
        raw = csv(*[f"{name},{label}" for name, label in zip(reversed(TRAIN), labels, strict=True)])
        assert raw.noisy_labels.tolist() == [1, 0, 0, 1, 1, 0, -1, -1]
        assert raw.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
        check_raw(raw)


def test_names_and_indices_in_one_file_are_refused_with_both_readings(pets):
    labels = ["cat", 1, "dog", 0, 0, "dog"]
    with pytest.raises(UserError, match=r"^labels\.csv: labels are mixed: 'cat' .* class name and '0' only an index"):
        csv(*[f"{name},{label}" for name, label in zip(TRAIN, labels, strict=True)])


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        ([f"{n},cat" for n in TRAIN[1:]], "path,label", "1 of 8 images have no label: 'train/cat/0.png'"),
        ([f"{n},cat" for n in [*TRAIN, "test/cat/9.png"]], "path,label", "1 of 8 .*'test/dog/9.png'"),
        ([f"{n},cat" for n in [*TRAIN, "../x.png"]], "path,label", "1 paths are no images .*'../x.png'"),
        ([f"{n},cow" for n in TRAIN], "path,label", r"6 labels are neither .* \(0 to 1\): 'train/cat/0.png: cow'"),
        ([f"{n},2" for n in TRAIN], "path,label", "6 labels are neither"),
        ([f"{n},-1" for n in TRAIN], "path,label", "6 labels are neither"),
        ([f"{n},cat" for n in [*TRAIN, TRAIN[2]]], "path,label", "'train/cat/2.png' occurs twice, again in row 8"),
        ([TRAIN[0]], "path,label", "row 2 lacks a path or a label"),
        ([], "file,label", "first line must name the columns path,label"),
        (['"open'], "path,label", "not a CSV file"),
    ],
)
def test_a_csv_that_does_not_fit_is_refused(pets, lines, header, message):
    with pytest.raises(UserError, match=f"^labels.csv: .*{message}"):
        csv(*lines, header=header)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"path,label\n\xff,cat\n", b"path,label\n" + b"x" * 200_000])
def test_a_csv_that_is_none_is_refused(pets, content):
    Path("labels.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"^labels\.csv: "):
        folder.load(path="pets", labels_csv="labels.csv")


def test_an_absent_csv_is_named(pets):
    for use in (folder.load, folder.fingerprint):
        with pytest.raises(UserError, match=r"labels\.csv: cannot be read"):
            use(path="pets", labels_csv="labels.csv")


def bomb(width, height):
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot identify"),
        (b"<html>not found</html>", "cannot identify"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n", "cannot identify"),
        (bomb(60_000, 60_000), "pixels"),
        (bomb(9_000, 8_000), "9000x8000 pixels, at most 67,108,864 are read"),
        (bomb(2**31 - 1, 2**31 - 1), "pixels"),
        (bomb(6, 0), "cannot identify"),
    ],
    ids=["empty", "html", "eps", "bomb", "small bomb", "overflow", "no rows"],
)
def test_unreadable_images_and_bombs_are_named_and_counted(pets, content, message):
    Path("pets/train/cat/1.png").write_bytes(content)
    with pytest.raises(UserError, match=rf"^pets: 1 of 8 images cannot be read: .*train/cat/1\.png \(.*({message})"):
        folder.load(path="pets", size=6)


def test_cut_images_are_all_counted(pets):
    for name in ("train/cat/1.png", "train/dog/2.png", "test/cat/9.png", "test/dog/9.png"):
        path = Path("pets", name)
        path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match=r"^pets: 4 of 8 images cannot be read: .* and 1 more$"):
        folder.load(path="pets")


def test_sixteen_bits_are_refused_rather_than_clipped(pets):
    Image.fromarray(np.full((6, 6), 40_000, np.uint16)).save("pets/train/cat/1.png")
    with pytest.raises(
        UserError, match=r"train/cat/1\.png \(pixels of mode 'I;16', here from 40,000 to 40,000; allowed are 8 bits"
    ):
        folder.load(path="pets")


def test_more_pixels_than_there_is_room_for_are_refused_before_they_are_read(pets, monkeypatch):
    monkeypatch.setenv("SMEARLAB_IMAGES_MB", "0")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 8 * 6 * 6 * 3 - 1))
    with pytest.raises(UserError, match=r"8 images of 6×6 pixels in 3 channels need 0\.0 GiB of disk, 0\.0 GiB"):
        folder.load(path="pets")


def test_more_pixels_than_the_disk_holds_are_refused_with_the_config(pets, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=8 * 2**30))
    folder.fingerprint(path="pets", size=1024)
    monkeypatch.setattr(folder, "_listing", lambda *_: [folder.Picture("train", "cat", "train/cat/1.png")] * 1000)
    said = r"^pets: 1,000 images of 1024×1024 pixels in 3 channels need 8\.8 GiB of disk, 8\.0 GiB are free in .*; give"
    with pytest.raises(UserError, match=said):
        folder.fingerprint(path="pets", size=1024)


def test_folders_may_state_noisy_labels(pets):
    raw = folder.load(path="pets", labels="noisy")
    assert raw.labels is None
    assert raw.noisy_labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 1]
    check_raw(raw)
    assert folder.has_clean_labels(path="pets")
    assert not folder.has_clean_labels(path="pets", labels="noisy")
    with pytest.raises(UserError, match="with labels: noisy, leave it out"):
        folder.has_clean_labels(path="pets", labels="noisy", labels_csv="labels.csv")


@pytest.mark.parametrize("link", ["train/cat/7.png", "train/cow", "test"])
def test_links_that_leave_the_folder_are_refused(pets, link):
    outside = Path("elsewhere/cow")
    save("0.png", pixels(0), root=outside)
    target = {"train/cat/7.png": outside / "0.png", "train/cow": outside, "test": outside.parent}[link]
    path = Path(ROOT, link)
    if path.exists():
        path.rename("moved")
    path.symlink_to(target.resolve())
    for use in (folder.load, folder.fingerprint):
        with pytest.raises(UserError, match="is a link that leads out of the data folder"):
            use(path="pets")


def test_links_inside_the_folder_and_to_it_are_followed(pets):
    Path("pets/train/dog/7.png").symlink_to("../cat/0.png")
    Path("link").symlink_to("pets")
    raw = folder.load(path="link")
    np.testing.assert_array_equal(raw.images[6], pets["train/cat/0.png"])
    assert raw.labels[6] == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("nowhere", path)])
def test_only_plain_files_are_opened(pets, make):
    make("pets/train/cat/7.png")
    with pytest.raises(UserError, match=r"train/cat/7\.png' is no plain file"):
        folder.load(path="pets")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda: None, "^pets: no such folder"),
        (lambda: ROOT.mkdir(), "^pets/train: no such folder"),
        (lambda: save("train/a/0.png", pixels(0)), "1 class, at least 2"),
        (lambda: [Path("pets/train", c).mkdir(parents=True) for c in "ab"], "^pets: no images in pets/train/CLASS/"),
        (lambda: save("train/0.png", pixels(0)), "^pets/train: holds '0.png' beside the class folders"),
        (lambda: save("train/a\nb/0.png", pixels(0)), "printable"),
    ],
)
def test_other_layouts_are_refused(prepare, message):
    prepare()
    with pytest.raises(UserError, match=message):
        folder.load(path="pets")


def test_test_classes_unknown_to_train_are_named(pets):
    save("test/cow/0.png", pixels(0))
    with pytest.raises(UserError, match="classes without a folder in train: 'cow'"):
        folder.load(path="pets")


def test_a_class_folder_without_images_is_carried_and_said(pets):
    Path("pets/train/cow").mkdir()
    from smearlab.datasets._splitting import make_dataset

    made = make_dataset(folder.load(path="pets"), split_seed=0, validation=0.2, test=0.2)
    assert "1 of 3 classes have no training example: 'cow'" in made.training.meta["notes"]


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_no_damaged_image_gives_a_traceback(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("fuzz")
    suffix = data.draw(st.sampled_from(["png", "jpg", "gif", "bmp", "tiff", "webp", "ppm"]))
    for class_name in ("a", "b"):
        path = save(f"train/{class_name}/0.{suffix}", pixels(0, 16, 16), root)
    bad = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bad[: data.draw(st.integers(1, len(bad)))])
    try:
        raw = folder.load(path=str(root), size=16)
    except UserError as error:
        assert "1 of 2 images cannot be read: " in str(error)
        assert "\n" not in str(error)
    else:
        assert raw.images.shape[:3] == (2, 16, 16)
