"""The identity of what a data set contains, which is part of its path."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from smearlab.datasets import _fingerprint, digits, folder
from smearlab.datasets._fingerprint import CACHE, file_fingerprint, folder_fingerprint

OLD = 10**18  # nanoseconds since 1970


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_fingerprint, "SETTLED", 0)


@pytest.fixture
def hashed(monkeypatch):
    """The files that were really read."""
    read = []
    real = _fingerprint.sha256_file
    monkeypatch.setattr(_fingerprint, "sha256_file", lambda path: read.append(str(path)) or real(path))
    return read


def write(name, content):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def sha(content):
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_known_by_its_contents_and_read_once(hashed):
    write("a.npz", b"one")
    assert [file_fingerprint("a.npz") for _ in range(3)] == [sha(b"one")] * 3
    assert hashed == ["a.npz"]


def test_touching_reads_again_and_says_the_same(hashed):
    write("a.npz", b"one")
    first = file_fingerprint("a.npz")
    os.utime("a.npz", ns=(OLD, OLD))
    assert file_fingerprint("a.npz") == first
    assert len(hashed) == 2


def test_other_contents_of_the_same_size_and_time_are_noticed():
    for content in (b"one", b"two"):
        write("a.npz", content)
        os.utime("a.npz", ns=(OLD, OLD))
        assert file_fingerprint("a.npz") == sha(content)


def test_a_file_that_has_just_changed_is_not_remembered(monkeypatch, hashed):
    monkeypatch.setattr(_fingerprint, "SETTLED", 10**12)
    write("a.npz", b"one")
    file_fingerprint("a.npz")
    file_fingerprint("a.npz")
    assert len(hashed) == 2
    assert not CACHE.exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b"null", b'{"file a.npz": 3}', b'{"file a.npz": ["", "../../x"]}', b"[" * 10**5]
)
def test_a_damaged_cache_is_ignored(content):
    write("a.npz", b"one")
    write(CACHE, content)
    assert file_fingerprint("a.npz") == sha(b"one")


def test_a_hash_that_is_none_never_comes_out_of_the_cache():
    write("a.npz", b"one")
    file_fingerprint("a.npz")
    cache = json.loads(CACHE.read_text())
    cache["file a.npz"][1] = "../../elsewhere"
    CACHE.write_text(json.dumps(cache))
    assert file_fingerprint("a.npz") == sha(b"one")


def test_a_cache_that_cannot_be_written_costs_only_time():
    write("a.npz", b"one")
    write(CACHE.parent, b"a file where the folder should be")
    assert file_fingerprint("a.npz") == sha(b"one")


def test_a_folder_is_known_by_names_and_contents_only(hashed):
    files = {name: write(f"pets/{name}", name.encode()) for name in ("a", "b")}
    first = folder_fingerprint("pets", files)
    assert folder_fingerprint("pets", dict(reversed(files.items()))) == first
    assert len(hashed) == 2
    moved = {name: write(f"moved/{name}", name.encode()) for name in ("a", "b")}
    assert folder_fingerprint("moved", moved) == first
    assert folder_fingerprint("moved", {"a": moved["b"], "b": moved["a"]}) != first
    assert folder_fingerprint("moved", {"a": moved["a"]}) != first
    write("pets/b", b"B")
    assert folder_fingerprint("pets", files) != first


def test_the_csv_is_part_of_a_folders_identity():
    for name in ("train/cat/0.png", "train/dog/0.png"):
        write(f"pets/{name}", b"not looked into")
    plain = folder.fingerprint(path="pets")
    seen = {plain}
    for content in (b"path,label\n", b"path,label\r\n"):
        write("labels.csv", content)
        seen.add(folder.fingerprint(path="pets", labels_csv="labels.csv"))
    assert len(seen) == 3
    assert folder.fingerprint(path="pets", size=8) == plain  # options have their own place in the identity


def test_the_bundled_digits_have_a_constant_identity():
    assert digits.fingerprint() == "digits-1"
    assert not CACHE.exists()
