"""The .pt files of CIFAR-N are read, and nothing inside a .pt file is ever run."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from smearlab.core.errors import UserError
from smearlab.noises._array_pickle import read_array_pickle

LABELS = {"clean_label": np.arange(12), "worse_label": np.arange(12)[::-1].astype(np.uint8)}


@pytest.mark.parametrize("zipped", [True, False])
def test_arrays_saved_by_torch_are_read_in_both_of_its_formats(tmp_path, zipped):
    torch.save(LABELS, tmp_path / "h.pt", _use_new_zipfile_serialization=zipped)
    found = read_array_pickle(tmp_path / "h.pt")
    assert found.keys() == LABELS.keys()
    for name, values in LABELS.items():
        assert (found[name] == values).all()


@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<i4", "u1", "<u2"])
def test_every_integer_type_keeps_its_values(tmp_path, dtype):
    values = np.array([0, 1, 9, 100], dtype=dtype)
    torch.save({"a": values.reshape(2, 2)}, tmp_path / "h.pt")
    assert read_array_pickle(tmp_path / "h.pt")["a"].tolist() == [[0, 1], [9, 100]]


def test_names_of_older_numpy_versions_are_known(tmp_path):
    content = pickle.dumps(LABELS, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    save_zip(tmp_path / "h.pt", content)
    assert (read_array_pickle(tmp_path / "h.pt")["worse_label"] == LABELS["worse_label"]).all()


def save_zip(path, pickled):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)


class Runs:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_wants_to_run_something_is_refused_and_does_not(tmp_path, zipped):
    content = pickle.dumps({"clean_label": Runs(tmp_path / "made")}, protocol=2)
    if zipped:
        save_zip(tmp_path / "h.pt", content)
    else:
        (tmp_path / "h.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"posix\.mkdir, and only integer arrays are read"):
        read_array_pickle(tmp_path / "h.pt")
    assert not (tmp_path / "made").exists()


def array_pickle(shape=(4,), type_name="i8", data=None):
    """A pickle of one array whose parts disagree as asked, written by hand."""
    raw = struct.pack("<4q", 0, 1, 2, 3) if data is None else data
    out = io.BytesIO()
    out.write(b"\x80\x02}U\x01acnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01")
    out.write(pickle.dumps(shape, 2)[2:-1])
    out.write(b"cnumpy\ndtype\n(U" + bytes([len(type_name)]) + type_name.encode() + b"K\x00K\x01tR")
    out.write(b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89")
    out.write(b"c_codecs\nencode\n(X" + struct.pack("<I", len(raw.decode("latin1").encode())))
    out.write(raw.decode("latin1").encode() + b"U\x06latin1tRtbs.")
    return out.getvalue()


def test_the_handwritten_array_is_a_good_one(tmp_path):
    save_zip(tmp_path / "h.pt", array_pickle())
    assert read_array_pickle(tmp_path / "h.pt")["a"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": (10**12,)}, "4 values"),
        ({"shape": (5,)}, r"shape \(5,\) with 4 values"),
        ({"type_name": "O8"}, "arrays of type 'O8'"),
        ({"type_name": "f8"}, "only integers are read"),
        ({"data": b"\x00" * 7}, "not a readable"),
    ],
)
def test_an_array_whose_parts_disagree_is_refused(tmp_path, changes, message):
    save_zip(tmp_path / "h.pt", array_pickle(**changes))
    with pytest.raises(UserError, match=message):
        read_array_pickle(tmp_path / "h.pt")


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps([1, 2], 2), b"PK\x03\x04 torn"])
def test_a_damaged_or_foreign_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "h.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"h\.pt"):
        read_array_pickle(tmp_path / "h.pt")


def test_a_file_without_a_dictionary_is_refused(tmp_path):
    save_zip(tmp_path / "h.pt", pickle.dumps([1, 2], 2))
    with pytest.raises(UserError, match="a dictionary of named label arrays"):
        read_array_pickle(tmp_path / "h.pt")
