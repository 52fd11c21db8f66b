"""The standard sets: addresses, file formats and checksums as torchvision knows them, or `data/<name>.npz`.

torchvision names the files, downloads them and knows their MD5. The reading is done here, because
torchvision unpickles CIFAR without restriction and never checks its unpacked MNIST files: here each file is
read once, those very bytes are compared with their MD5, and only then parsed.
"""

import dataclasses
import gzip
import hashlib
import http.client
import io
import os
import pickle
import socket
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from smearlab.core.errors import UserError
from smearlab.datasets import arrays
from smearlab.datasets._fingerprint import file_fingerprint
from smearlab.datasets._raw import RawData
from smearlab.store.npz import reason

FOLDER = Path("data")
TIMEOUT = 60.0  # seconds without a byte from the server
ATTEMPTS = 3  # of each address
Batch = tuple[np.ndarray, np.ndarray]  # images and labels of one file
Reader = Callable[[str, Any], tuple[list[Batch], list[Batch]]]  # train and test


def sizes(name: str, published: tuple[int, int]) -> tuple[int, int]:
    """Return the number of examples outside the test part, and of all: those of the user's own file if there is one."""
    own = own_file(name)
    return arrays.sizes(path=str(own)) if own.exists() else published


def load_mnist(name: str, class_names: list[str], torchvision_name: str) -> RawData:
    """Return a set in MNIST's format: images uint8 (N, 28, 28, 1), train then test."""
    return _load(name, class_names, torchvision_name, _read_mnist)


def load_cifar(name: str, class_names: list[str], torchvision_name: str) -> RawData:
    """Return a set in CIFAR's format: images uint8 (N, 32, 32, 3), train then test."""
    return _load(name, class_names, torchvision_name, _read_cifar)


def fingerprint(name: str) -> str:
    """Return the SHA-256 of `data/<name>.npz` if it is there, else the identity of the published files."""
    own = own_file(name)
    return file_fingerprint(own) if own.exists() else f"{name}-1"


def mnist_at_hand(name: str, torchvision_name: str) -> bool:
    """Whether a set in MNIST's format can be read without a download."""
    import torchvision.datasets

    published = getattr(torchvision.datasets, torchvision_name)
    folder = FOLDER / published.__name__ / "raw"
    return own_file(name).exists() or all(
        _matching(folder / file, md5) is not None for file, md5 in published.resources
    )


def cifar_at_hand(name: str, torchvision_name: str) -> bool:
    """Whether a set in CIFAR's format can be read without a download."""
    import torchvision.datasets

    published = getattr(torchvision.datasets, torchvision_name)
    unpacked = _unpacked(FOLDER / published.base_folder, dict((*published.train_list, *published.test_list)))
    packed = FOLDER / published.filename
    return own_file(name).exists() or unpacked is not None or _matching(packed, published.tgz_md5) is not None


def own_file(name: str) -> Path:
    """Return where the user's own copy of a standard set is looked for."""
    return FOLDER / f"{name}.npz"


def _load(name: str, class_names: list[str], torchvision_name: str, read: Reader) -> RawData:
    own = own_file(name)
    if own.exists():
        note = f"images read from {own} (SHA-256 {file_fingerprint(own)}), not from the published files"
        raw = arrays.load(path=str(own))
        _check_order(raw.class_names, class_names, own)
        return dataclasses.replace(raw, class_names=class_names, notes=[note, *raw.notes])
    import torchvision.datasets

    train, test = read(name, getattr(torchvision.datasets, torchvision_name))
    images, labels = zip(*train, *test, strict=True)
    n_train = sum(len(batch) for _, batch in train)
    return RawData(
        images=np.concatenate(images),
        labels=np.concatenate(labels),
        noisy_labels=None,
        split=np.where(np.arange(sum(map(len, labels))) < n_train, "train", "test"),
        class_names=class_names,
        source=name,
    )


def _check_order(own: list[str], published: list[str], path: Path) -> None:
    """Raise UserError where a user's copy gives the name of a published class another number."""
    number = {_spelled(name): i for i, name in enumerate(published)}
    for i, name in enumerate(own):
        if number.get(_spelled(name), i) != i:
            raise UserError(
                f"{path}: class {i} is {name!r}, which is class {number[_spelled(name)]} of the published set: number "
                "the classes as published, or use the file as a data set of kind arrays"
            )


def _spelled(name: str) -> str:
    return name.casefold().replace(" ", "_").replace("-", "_")


def _read_mnist(name: str, published: Any) -> tuple[list[Batch], list[Batch]]:
    folder = FOLDER / published.__name__ / "raw"
    parsed = []
    for filename, md5 in published.resources:
        urls = [f"{mirror}{filename}" for mirror in published.mirrors]
        packed = _published_bytes(name, folder / filename, md5, urls)
        with _format_errors(name, filename):
            parsed.append(_parse_idx(gzip.decompress(packed)))
    train_images, train_labels, test_images, test_labels = parsed
    train = (train_images[..., None], train_labels.astype(np.int64))
    return [train], [(test_images[..., None], test_labels.astype(np.int64))]


def _parse_idx(data: bytes) -> np.ndarray:
    """Parse the IDX format: two zero bytes, the type (8 = bytes), the number of sides, big-endian sides."""
    if data[:3] != b"\0\0\x08":
        raise ValueError("not an IDX file of bytes")
    n_sides = data[3]
    shape = np.frombuffer(data, ">i4", count=n_sides, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * n_sides).reshape(shape)


def _read_cifar(name: str, published: Any) -> tuple[list[Batch], list[Batch]]:
    files = dict((*published.train_list, *published.test_list))
    contents = _unpacked(FOLDER / published.base_folder, files)
    if contents is None:
        packed = _published_bytes(name, FOLDER / published.filename, published.tgz_md5, [published.url])
        contents = _members(name, packed, published, files)
    batches = {}
    for filename, data in contents:
        with _format_errors(name, filename):
            batches[filename] = _parse_batch(data)
    missing = sorted(set(files) - set(batches))
    if missing:
        raise UserError(f"{name}: {published.filename} lacks {', '.join(missing)}")
    return [batches[f] for f, _ in published.train_list], [batches[f] for f, _ in published.test_list]


def _unpacked(folder: Path, files: dict[str, str]) -> Iterable[tuple[str, bytes]] | None:
    """Return the files as torchvision unpacks them, or None unless all are there and whole."""
    data: dict[str, Any] = {filename: _matching(folder / filename, md5) for filename, md5 in files.items()}
    return None if None in data.values() else list(data.items())


def _members(name: str, packed: bytes, published: Any, files: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and contents of the wanted files, one at a time, in the archive's order."""
    wanted = {f"{published.base_folder}/{filename}": filename for filename in files}
    with (
        _format_errors(name, published.filename),
        tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive,
    ):
        for member in archive:
            if member.isfile() and member.name in wanted:
                filename = wanted[member.name]
                data = archive.extractfile(member).read()  # type: ignore[union-attr]
                if _md5(data) != files[filename]:
                    raise UserError(f"{name}: {filename} in the archive does not match its MD5")
                yield filename, data


def _parse_batch(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Parse one checked batch: rows of 3072 bytes, the red, green and blue plane of a 32x32 image."""
    batch = _Restricted(io.BytesIO(data), encoding="latin1").load()
    images = np.asarray(batch["data"])
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != 3072:
        raise ValueError(f"images are {images.dtype} of shape {images.shape}")
    labels = np.asarray(batch["labels"] if "labels" in batch else batch["fine_labels"], dtype=np.int64)
    return np.ascontiguousarray(images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _dtype(name: str, align: int = 0, copy: int = 0) -> np.dtype:
    """Make a type as old pickles ask for it; NumPy no longer takes their 0 and 1 for false and true."""
    return np.dtype(name, align=bool(align), copy=bool(copy))


def _latin1(text: str, _: str) -> bytes:
    return text.encode("latin1")


class _Restricted(pickle.Unpickler):
    """An unpickler that can make numpy arrays and plain values, and nothing else."""

    ALLOWED: ClassVar = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): _dtype,
        ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("numpy._core.numeric", "_frombuffer"): np._core.numeric._frombuffer,  # type: ignore[attr-defined]
        ("_codecs", "encode"): _latin1,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"asks for {module}.{name}") from None


def _published_bytes(name: str, path: Path, md5: str, urls: list[str]) -> bytes:
    """Return a published file: the copy that is there if its MD5 is right, else a downloaded one."""
    here = _matching(path, md5)
    if here is not None:
        return here
    reasons = [f"{path} does not match its MD5"] if path.exists() else []
    for url in urls * ATTEMPTS:
        try:
            return _download(path, md5, url)
        except (OSError, RuntimeError, ValueError, http.client.HTTPException) as error:
            reasons.append(f"{url}: {reason(error)}")
    raise UserError(
        f"{name}: cannot be downloaded ({'; '.join(dict.fromkeys(reasons))}); put the published file by hand at {path} "
        f"(MD5 {md5}), or the images with labels and split at {own_file(name)}"
    )


def _download(path: Path, md5: str, url: str) -> bytes:
    """Download beside the target and move into place, so that jobs that want the same file do not meet."""
    from torchvision.datasets.utils import download_url

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".download-") as private, _timeout():
        download_url(url, private, path.name, md5)
        data = _matching(Path(private, path.name), md5)
        if data is None:
            raise ValueError("what the server sent does not match the MD5")
        os.replace(Path(private, path.name), path)
    return data


@contextmanager
def _timeout() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


@contextmanager
def _format_errors(name: str, filename: str) -> Iterator[None]:
    """Turn whatever a parser says of a file into one line; the checksum was right, so this hardly happens."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{name}: {filename} is not in the expected format ({reason(error)})") from error


def _matching(path: Path, md5: str) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data if _md5(data) == md5 else None


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
