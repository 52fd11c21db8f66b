"""The user's own .npz, friendly and hostile."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.datasets import arrays
from smearlab.datasets._raw import check_raw
from smearlab.store import npz
from smearlab.store.npz import npz_names, read_npz
from smearlab.store.npz_shape import npz_shape

IMAGES = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2])


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(**members):
    np.savez("mine.npz", **members)
    return arrays.load(path="mine.npz")


def npy(descr="'<i8'", shape="(6,)", payload=b"\0" * 48, version=(1, 0), more=""):
    """One array file with a header of our own making."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, {more}}}".encode("latin1") + b"\n"
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + payload


def write_zip(members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile("mine.npz", "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)


def test_images_labels_and_split_are_read_as_given():
    split = np.array(["train"] * 4 + ["test"] * 2)
    raw = load(images=IMAGES, labels=LABELS, noisy_labels=LABELS[::-1], split=split)
    np.testing.assert_array_equal(raw.images, IMAGES[..., None])
    np.testing.assert_array_equal(raw.labels, LABELS)
    np.testing.assert_array_equal(raw.noisy_labels, LABELS[::-1])
    assert raw.split.tolist() == split.tolist()
    assert raw.class_names == ["0", "1", "2"] == arrays.class_names(path="mine.npz")
    assert raw.source == "mine.npz" and raw.notes == []
    check_raw(raw)


def test_colour_images_fortran_order_and_narrow_labels_are_taken():
    colour = np.asfortranarray(np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), dtype=np.uint8))
    raw = load(images=colour, labels=LABELS.astype(">u2"))
    np.testing.assert_array_equal(raw.images, colour)
    assert raw.images.flags.c_contiguous
    assert raw.labels.dtype == np.dtype("int64") and raw.labels.tolist() == LABELS.tolist()
    assert raw.split.tolist() == [""] * 6
    check_raw(raw)


def test_compressed_files_are_read():
    np.savez_compressed("mine.npz", images=IMAGES, labels=LABELS)
    np.testing.assert_array_equal(arrays.load(path="mine.npz").images[..., 0], IMAGES)


def test_without_clean_labels_the_classes_are_those_of_the_noisy_ones():
    raw = load(images=IMAGES, noisy_labels=LABELS + 1)
    assert raw.labels is None
    assert raw.class_names == ["0", "1", "2", "3"] == arrays.class_names(path="mine.npz")


def test_clean_labels_decide_the_number_of_classes():
    raw = load(images=IMAGES, labels=LABELS, noisy_labels=LABELS + 1)
    assert len(raw.class_names) == 3
    with pytest.raises(UserError, match="2 of 6 noisy_labels are out of range, first 3 at index 2"):
        check_raw(raw)


@pytest.mark.parametrize("names", [np.array(["cat", "dög", "<b>"]), np.array([b"cat", "dög".encode(), b"<b>"])])
def test_class_names_in_the_file_win(names):
    raw = load(images=IMAGES, labels=LABELS, class_names=names)
    assert raw.class_names == ["cat", "dög", "<b>"] == arrays.class_names(path="mine.npz")


def test_class_names_are_read_without_the_images():
    write_zip([("images.npy", b"no array at all"), ("labels.npy", npy(payload=LABELS.tobytes()))])
    assert arrays.class_names(path="mine.npz") == ["0", "1", "2"]


def test_arrays_that_are_not_used_are_noted():
    raw = load(images=IMAGES, labels=LABELS, difficulty=np.zeros(6))
    assert raw.notes == ["arrays in the file that are not used: 'difficulty'"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"labels": LABELS}, "has no images; it holds 'labels'"),
        ({"images": IMAGES}, "has neither labels nor noisy_labels"),
        ({"images": IMAGES, "labels": LABELS / 2}, "labels are float64 with 0 NaN, they must be integers"),
        ({"images": IMAGES, "labels": LABELS[:5]}, r"labels have shape \(5,\), there are 6 examples"),
        ({"images": IMAGES, "labels": LABELS.reshape(2, 3)}, r"labels have shape \(2, 3\)"),
        ({"images": IMAGES, "labels": LABELS * 10**15}, "labels reach 2000000000000000, out of range for 6 examples"),
        ({"images": IMAGES, "labels": LABELS * 0}, "1 class, at least 2 are needed"),
        (
            {"images": IMAGES, "labels": LABELS, "noisy_labels": np.full(6, 2**63, "u8")},
            "noisy_labels are out of range",
        ),
        ({"images": IMAGES / 255, "labels": LABELS}, "images are float64 with 0 NaN, they must be uint8"),
        ({"images": IMAGES[0], "labels": LABELS}, "images have shape"),
        ({"images": np.zeros((6, 3, 8, 8), "u1"), "labels": LABELS}, "channels last"),
        ({"images": IMAGES, "labels": LABELS, "split": np.zeros(6)}, "split must be a list of strings, not float64"),
        ({"images": IMAGES, "labels": LABELS, "split": np.full((6, 1), "a")}, "split must be a list of strings"),
        ({"images": IMAGES, "labels": LABELS, "class_names": np.array([b"\xff", b"a", b"c"])}, "is not Unicode"),
        ({"images": IMAGES, "labels": LABELS, "class_names": np.array(["a", "b\u202e", "c"])}, "printable"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(members, message):
    with pytest.raises(UserError, match=f"^mine.npz: .*{message}"):
        load(**members)


def test_objects_are_never_unpickled():
    class Evil:
        def __reduce__(self):
            return print, ("unpickled",)

    np.savez("mine.npz", images=IMAGES, labels=np.array([Evil()], dtype=object))
    with pytest.raises(UserError, match=r"member 'labels\.npy' has type object"):
        arrays.load(path="mine.npz")


@pytest.mark.parametrize(
    "name", ["../labels.npy", "/labels.npy", "a/labels.npy", "..npy", "C:labels.npy", "labels.txt"]
)
def test_names_that_lead_elsewhere_are_refused(name):
    write_zip([("images.npy", npy()), (name, npy())])
    with pytest.raises(UserError, match="is not a plain array name"):
        read_npz("mine.npz")


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy(shape="(10**12,)"), "damaged"),
        (npy(shape="(1000000000000,)"), r"declares \(1000000000000,\) int64 but holds 48 bytes"),
        (npy(shape="(5,)"), "but holds 48 bytes"),
        (npy(shape="(-6,)"), "declares|damaged"),
        (npy(shape="(0, 10**9)"), "damaged|declares"),
        (npy(descr="'<U0'", shape="(1000000000000,)", payload=b""), "allowed are plain numbers and strings"),
        (npy(descr="'|O'"), "allowed are plain numbers and strings"),
        (npy(descr="[('a', '<i4'), ('b', '<i4')]"), "allowed are plain numbers and strings"),
        (npy(descr="__import__('os')"), "damaged"),
        (npy(more="'more': 1"), "damaged"),
        (npy(version=(3, 0)), r"unknown header version \(3, 0\)"),
        (npy(version=(9, 9)), r"unknown header version \(9, 9\)"),
        (b"", "damaged"),
        (b"\x93NUMPY", "damaged"),
        (npy(more="'x': " + "(" * 3000), "damaged"),
        (npy(more="'x': " + "0" * 30000), "damaged.*large"),
    ],
)
def test_lying_headers_are_refused_before_memory_is_taken(member, message):
    write_zip([("labels.npy", member)])
    with pytest.raises(UserError, match=f"^mine.npz: .*({message})") as refused:
        read_npz("mine.npz")
    assert "\n" not in str(refused.value)


def test_a_decompression_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(npz, "SMALL", 2**20)
    np.savez_compressed("mine.npz", images=np.zeros(4 * 2**20, np.uint8))
    with pytest.raises(UserError, match=r"declares 4,194,432 bytes packed into [0-9,]+, which"):
        read_npz("mine.npz")
    np.savez("mine.npz", images=np.zeros(4 * 2**20, np.uint8))
    assert read_npz("mine.npz")["images"].size == 4 * 2**20


def test_more_than_the_memory_bound_is_refused(monkeypatch):
    monkeypatch.setattr(npz, "MAX_BYTES", 300)
    with pytest.raises(UserError, match=r"bytes of arrays, at most 300 are read"):
        load(images=IMAGES, labels=LABELS)


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(npz, "MAX_MEMBERS", 3)
    with pytest.raises(UserError, match="holds 4 members, at most 3 are read"):
        load(images=IMAGES, labels=LABELS, a=LABELS, b=LABELS)


def test_two_members_of_one_name_are_refused():
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip([("labels.npy", npy()), ("labels.npy", npy(payload=b"\1" * 48))])
    with pytest.raises(UserError, match="two members of the same name"):
        read_npz("mine.npz")


def test_other_ways_of_packing_are_refused():
    write_zip([("labels.npy", npy())], zipfile.ZIP_LZMA)
    with pytest.raises(UserError, match="packed in a way that numpy does not write"):
        read_npz("mine.npz")


def test_a_damaged_array_is_noticed(tmp_path):
    np.savez("mine.npz", images=IMAGES, labels=LABELS)
    data = bytearray((tmp_path / "mine.npz").read_bytes())
    data[data.index(IMAGES.tobytes()) + 50] ^= 1
    (tmp_path / "mine.npz").write_bytes(data)
    with pytest.raises(UserError, match=r"mine\.npz: not an .npz file, or a damaged one"):
        arrays.load(path="mine.npz")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"<html>404</html>" * 100, npy()])
def test_what_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "mine.npz").write_bytes(content)
    for use in (arrays.load, arrays.class_names):
        with pytest.raises(UserError, match=r"mine\.npz: not an .npz file"):
            use(path="mine.npz")


@pytest.mark.parametrize("use", [arrays.load, arrays.class_names, arrays.fingerprint])
@pytest.mark.parametrize("path", ["absent.npz", ".", "/dev/zero"])
def test_what_is_no_file_is_refused(use, path):
    with pytest.raises(UserError, match="no such file"):
        use(path=path)


@pytest.mark.parametrize("path", ["absent.npz", ".", "/dev/zero"])
def test_what_is_no_file_has_no_shape(path):
    assert npz_shape(path, "images") is None


def test_every_flipped_byte_leaves_a_shape_or_none():
    np.savez_compressed("whole.npz", images=IMAGES, labels=LABELS)
    whole = Path("whole.npz").read_bytes()
    assert npz_shape("whole.npz", "images") == IMAGES.shape
    for place in range(min(len(whole), 400)):
        Path("mine.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        assert isinstance(npz_shape("mine.npz", "images"), tuple | None)


def test_names_are_listed_without_reading():
    np.savez("mine.npz", images=IMAGES, labels=LABELS)
    assert npz_names("mine.npz") == ["images", "labels"]


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_no_damage_gives_a_traceback_or_other_data(tmp_path_factory, data):
    """Flipped, cut and inserted bytes: one clear line, or the arrays as they were written."""
    good = io.BytesIO()
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    save(good, images=IMAGES, labels=LABELS, split=np.full(6, "train"), class_names=np.array(["a", "b", "c"]))
    bad = bytearray(good.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(bad) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if change == "flip":
            bad[at] ^= 1 << data.draw(st.integers(0, 7))
        elif change == "cut":
            bad = bad[: max(at, 1)]
        else:
            bad[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    path = tmp_path_factory.mktemp("fuzz") / "mine.npz"
    path.write_bytes(bad)
    try:
        raw = arrays.load(path=str(path))
        check_raw(raw)
    except UserError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
    else:
        np.testing.assert_array_equal(raw.images[..., 0], IMAGES)
        assert raw.labels.tolist() == LABELS.tolist()


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_any_header_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.npy", b"\x93NUMPY\x01\x00" + content)
    with pytest.raises(UserError, match=r"mine\.npz"):
        read_npz(path)
