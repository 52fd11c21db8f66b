"""Data that do not fit into memory: they lie in files, and every number is what it is in memory."""

import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny_training as tiny
import torch

from smearlab.core.errors import UserError
from smearlab.datasets._raw import RawData
from smearlab.datasets._splitting import make_dataset
from smearlab.datasets.arrays import load as load_arrays
from smearlab.store import large, npz
from smearlab.store.dataset import read_training, write_dataset
from smearlab.store.files import write_npz
from smearlab.store.npz import read_npz
from smearlab.training.batches import channel_statistics, statistics_of
from smearlab.training.pixels import FilePixels, Pixels
from smearlab.training.stack import stacked_images
from smearlab.training.trainee import make_problem

CPU = torch.device("cpu")


@pytest.fixture
def nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_IMAGES_MB", "0")


def pictures(n: int = 60, size: int = 8, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, channels)).astype(np.uint8)


def is_mapped(array: np.ndarray | None) -> bool:
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base  # type: ignore[assignment]
    return isinstance(array, np.memmap)


def arrays(data: Any) -> dict[str, np.ndarray]:
    return {name: value for name, value in vars(data).items() if isinstance(value, np.ndarray)}


def raw(images: np.ndarray) -> RawData:
    n = len(images)
    return RawData(images, np.arange(n) % 3, None, np.full(n, ""), ["a", "b", "c"])


SPLIT: dict[str, Any] = {"split_seed": 0, "validation": 0.2, "test": 0.25}


# Files.


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.usefixtures("nothing_fits")
def test_an_array_of_bytes_is_mapped_or_unpacked_to_a_file(tmp_path: Path, compress: bool) -> None:
    images, labels = pictures(), np.arange(60)
    write_npz(tmp_path / "own.npz", {"labels": labels, "images": images}, compress=compress)
    found = read_npz(tmp_path / "own.npz")
    assert is_mapped(found["images"]) and np.array_equal(found["images"], images)
    assert np.array_equal(found["labels"], labels)


def test_one_that_fits_is_read(tmp_path: Path) -> None:
    write_npz(tmp_path / "own.npz", {"images": pictures()})
    assert not is_mapped(read_npz(tmp_path / "own.npz")["images"])


@pytest.mark.usefixtures("nothing_fits")
def test_a_mapped_member_is_compared_with_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    write_npz(path, {"images": pictures()})
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="or a damaged one"):
        read_npz(path)


@pytest.mark.parametrize("compress", [False, True])
def test_more_than_the_memory_is_read_only_where_it_lies_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool
) -> None:
    monkeypatch.setenv("SMEARLAB_IMAGES_MB", "0.005")
    monkeypatch.setattr(npz, "MAX_BYTES", 6000)
    write_npz(tmp_path / "own.npz", {"images": pictures()}, compress=compress)
    found = read_npz(tmp_path / "own.npz")["images"]
    assert np.array_equal(found, pictures()) and found.nbytes == 60 * 8 * 8 * 3 > 6000
    for name, content in (("numbers", np.zeros((60, 200))), ("fortran", np.asfortranarray(pictures()))):
        write_npz(tmp_path / f"{name}.npz", {"images": content}, compress=compress)
        with pytest.raises(UserError, match="at most 6,000 are read"):
            read_npz(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("images_mb, least, most", [("1", 0, 16), ("1024", 24, 40)])
def test_a_compressed_array_is_unpacked_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images_mb: str, least: int, most: int
) -> None:
    """MiB of memory held at most while 24 MiB of images are read, as Python and NumPy count what they take."""
    monkeypatch.setenv("SMEARLAB_IMAGES_MB", images_mb)
    images = np.tile(np.random.default_rng(0).integers(0, 256, 2**16, dtype=np.uint8), 24 * 16).reshape(-1, 32, 32, 3)
    np.savez_compressed(tmp_path / "own.npz", images=images)
    tracemalloc.start()
    try:
        found = read_npz(tmp_path / "own.npz")["images"]
        peak = tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
    assert least <= peak < most and np.array_equal(found, images)


@pytest.mark.usefixtures("nothing_fits")
def test_a_compressed_array_that_is_damaged_or_a_bomb_is_refused_unpacked_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.npz"
    write_npz(path, {"images": pictures()}, compress=True)
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="or a damaged one"):
        read_npz(path)
    monkeypatch.setattr(npz, "SMALL", 2**20)
    write_npz(path, {"images": np.zeros((2**21,), np.uint8)}, compress=True)
    with pytest.raises(UserError, match="which no set of images reaches"):
        read_npz(path)


@pytest.mark.usefixtures("nothing_fits")
@pytest.mark.parametrize("compress", [False, True])
def test_own_images_without_room_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compress: bool
) -> None:
    write_npz(tmp_path / "own.npz", {"images": pictures(), "labels": np.arange(60) % 3}, compress=compress)
    assert np.array_equal(load_arrays(path=str(tmp_path / "own.npz")).images, pictures())
    monkeypatch.setattr(large.shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 60 * 8 * 8 * 3 - 1))
    monkeypatch.setattr("smearlab.datasets.arrays.read_npz", pytest.fail)
    with pytest.raises(UserError, match=r"own\.npz: its images need .* GiB of disk, .*; make room$"):
        load_arrays(path=str(tmp_path / "own.npz"))


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_is_the_one_that_numpy_writes(tmp_path: Path, compress: bool) -> None:
    content = {"images": pictures(), "labels": np.arange(60), "split": np.array(["train", "test"])}
    write_npz(tmp_path / "ours.npz", content, compress=compress)
    (np.savez_compressed if compress else np.savez)(tmp_path / "numpys.npz", **content)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "numpys.npz").read_bytes()
    assert zipfile.ZipFile(tmp_path / "ours.npz").testzip() is None


@pytest.mark.usefixtures("nothing_fits")
def test_a_scratch_array_has_no_name_and_begins_at_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    found = large.zeros((5, 4), np.uint8)
    assert is_mapped(found) and not found.any() and not list(Path("results").iterdir())
    found[3] = 7
    assert found.sum() == 28


@pytest.mark.usefixtures("nothing_fits")
def test_a_disk_without_room_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    with pytest.raises(UserError, match=r"^examples need 2\.0 GiB of disk, 1\.0 GiB are free in .*; make room$"):
        large.zeros((2, 2**30), np.uint8)


@pytest.mark.parametrize("text", ["much", "", "inf", "nan"])
def test_a_limit_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMEARLAB_IMAGES_MB", text)
    with pytest.raises(UserError, match=f"^SMEARLAB_IMAGES_MB: '{text}' is no number of MiB$"):
        large.limit()


# Parts of it.


@pytest.mark.parametrize("chunk", [1, 700, 10**9])
def test_statistics_depend_neither_on_chunks_nor_on_a_copy(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images, rows = pictures(), np.arange(0, 60, 7)
    values = images[rows].reshape(-1, 3).astype(float)
    monkeypatch.setattr(large, "CHUNK", chunk)
    mean, deviation = channel_statistics(images, rows)
    assert mean == pytest.approx(values.mean(axis=0)) and deviation == pytest.approx(values.std(axis=0))
    whole = channel_statistics(images[rows])
    assert np.array_equal(mean, whole[0]) and np.array_equal(deviation, whole[1])
    members = np.isin(np.arange(60), rows)
    assert all(np.array_equal(a, b) for a, b in zip(statistics_of(images, members), whole, strict=True))


@pytest.mark.parametrize("shape", [(60, 8, 8, 3), (40, 6, 9, 1)])
def test_a_data_set_is_the_same_bytes(shape: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    monkeypatch.setattr(large, "CHUNK", 1000)
    for name, limit in (("memory", "1024"), ("files", "0")):
        monkeypatch.setenv("SMEARLAB_IMAGES_MB", limit)
        made = make_dataset(raw(images), **SPLIT)
        assert is_mapped(made.training.images) == is_mapped(made.test.images) == (name == "files")
        write_dataset(made, tmp_path / name)
    for file in ("training.npz", "training.json", "test.npz", "test.json"):
        assert (tmp_path / "memory" / file).read_bytes() == (tmp_path / "files" / file).read_bytes()
    assert is_mapped(read_training(tmp_path / "files").images)


@pytest.mark.parametrize("padding", [0, 2])
def test_batches_of_a_file_are_those_of_memory(padding: int) -> None:
    images, rows, draw = pictures(), np.arange(3, 60, 2), torch.Generator().manual_seed(0)
    statistics = channel_statistics(images, rows)
    file = FilePixels(images, rows, padding, statistics, CPU)
    held = Pixels(images[rows], padding, statistics, CPU)
    assert len(file) == len(held) and file.places == held.places
    index = torch.randint(len(held), (11,), generator=draw)
    top, left = (torch.randint(2 * padding + 1, (11,), generator=draw) for _ in range(2))
    flip = torch.randint(2, (11,), generator=draw)
    for one, other in (
        (file.plain(index), held.plain(index)),
        (file.plain(slice(4, 9)), held.plain(slice(4, 9))),
        (file.augmented(index, top, left, flip), held.augmented(index, top, left, flip)),
    ):
        assert torch.equal(one, other) and one.stride() == other.stride()
    draws = torch.stack([index, top, left, flip], dim=1)[:10].view(5, 2, 4)
    for some in (draws, draws[..., :1]):
        one, other = stacked_images(file, some), stacked_images(held, some)
        assert torch.equal(one, other) and one.stride() == other.stride()


# Training.


@pytest.mark.parametrize("stacked", [False, True])
@pytest.mark.parametrize("role", ["teacher", "student"])
def test_a_training_from_files_has_the_bytes_of_one_in_memory(
    role: str, stacked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny.recipe(stacked=stacked, history_examples=10)
    tiny.train(tiny.job(recipe=recipe), tmp_path / "teachers")
    given = {"teachers": tmp_path / "teachers"} if role == "student" else {}
    for name, limit in (("memory", "1024"), ("files", "0")):
        monkeypatch.setenv("SMEARLAB_IMAGES_MB", limit)
        assert isinstance(make_problem(tiny.training_data(), recipe, 3, CPU).train, FilePixels) == (name == "files")
        tiny.train(tiny.job(role, recipe=recipe), tmp_path / name, **given)
    assert tiny.outcome(tmp_path / "memory") == tiny.outcome(tmp_path / "files")


def test_an_augmented_training_from_files_has_the_bytes_of_one_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"crop": 1, "flip": True, "name": "randaugment", "options": {"operations": 2, "magnitude": 9}}
    for name, limit in (("memory", "1024"), ("files", "0")):
        monkeypatch.setenv("SMEARLAB_IMAGES_MB", limit)
        tiny.train(tiny.job(recipe=tiny.recipe(augmentation=kept)), tmp_path / name)
    assert tiny.outcome(tmp_path / "memory") == tiny.outcome(tmp_path / "files")
