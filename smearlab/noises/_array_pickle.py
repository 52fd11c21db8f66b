"""Named integer arrays and tensors out of .pt files such as those of CIFAR-N, without running anything in them.

A .pt file is a pickle, and a pickle can call any function. Here the only names it may ask for are those that
rebuild a NumPy array or a tensor, and each is answered by a stand-in of ours that checks what it is given: no
function of NumPy, torch or Python is called on the file's behalf, and torch is not needed.
"""

import io
import math
import pickle
import re
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.npz import reason

MAX_BYTES = 256 * 2**20
REMEDY = "save torch.tensor(LABELS), whole numbers (N,), or a dictionary of such tensors"
INTEGER = re.compile(r"[<|=]?[iu][1248]")


class _Type:
    """Stands in for numpy.dtype: an integer type by name."""

    def __init__(self, name: str, *_: Any) -> None:
        if not isinstance(name, str) or not INTEGER.fullmatch(name):
            raise UserError(f"arrays of type {str(name)[:40]!r}; only integers are read")
        self.name = name.lstrip("<|=")
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = state[1] if state[1] in ("<", ">") else "<"


class _Array:
    """Stands in for numpy.ndarray: shape, type and bytes, checked against each other."""

    values: np.ndarray

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, _, data = state
        if not isinstance(dtype, _Type) or not isinstance(data, bytes) or not isinstance(shape, tuple):
            raise UserError("an array that is not made of integers")
        values = np.frombuffer(data, np.dtype(dtype.order + dtype.name))
        if len(values) != math.prod(shape):
            raise UserError(f"an array of shape {shape} with {len(values)} values")
        self.values = values.reshape(shape)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


class _Storage:
    """Stands in for the memory of tensors: an integer type, and the bytes once they are read."""

    def __init__(self, dtype: str, size: int) -> None:
        self.dtype = np.dtype(dtype)
        self.size = size
        self.data = b""


class _Tensor:
    """Stands in for torch.Tensor: a view on a storage."""

    def __init__(self, storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> None:
        plain = isinstance(shape, tuple) and isinstance(stride, tuple) and len(shape) == len(stride)
        if not isinstance(storage, _Storage) or not plain or not _naturals(offset, *shape, *stride):
            raise UserError("a tensor that is not made of integers")
        if math.prod(shape) and offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) >= storage.size:
            raise UserError(f"a tensor of shape {shape} on {storage.size} values")
        if math.prod(shape) > storage.size:
            raise UserError(f"a tensor of shape {shape} on {storage.size} values")
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    @property
    def values(self) -> np.ndarray:
        """The numbers of the view; UserError where its storage is shorter than it says."""
        whole = np.frombuffer(self.storage.data, self.storage.dtype)
        if len(whole) != self.storage.size:
            raise UserError(f"a tensor of {self.storage.size} values with {len(whole)}")
        strides = [s * whole.itemsize for s in self.stride]
        return np.lib.stride_tricks.as_strided(whole[self.offset :], self.shape, strides).copy()


def _naturals(*numbers: Any) -> bool:
    return all(type(number) is int and 0 <= number < 2**40 for number in numbers)


def _encode(text: str, encoding: str) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise UserError("bytes in an unknown encoding")
    return text.encode("latin1")


STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
}
STORAGES = {
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
}


class _Reader(pickle.Unpickler):
    """An unpickler that knows the stand-ins alone, and collects the storages that the file speaks of by key."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if module == "torch" and name.endswith("Storage"):
            raise UserError(f"tensors of {name.removesuffix('Storage')} numbers; only integers are read (use .long())")
        if (module, name) not in STAND_INS:
            hint = f"; {REMEDY}" if name == "scalar" else ""
            raise UserError(f"it asks for {module}.{name}, and only integer arrays are read{hint}")
        return STAND_INS[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, size, *_ = pid
        if kind != "storage" or dtype not in STORAGES.values() or not isinstance(key, str) or not _naturals(size):
            raise UserError("a tensor that is not made of integers")
        return self.storages.setdefault(key, _Storage(dtype, size))


def read_array_pickle(path: str | Path) -> dict[str, np.ndarray | str]:
    """Return the integer arrays and tensors of a .pt file by name, or why one is none; one alone is `labels`.

    Raises UserError naming the file for anything else in it, for a damaged file, and above MAX_BYTES.
    """
    try:
        return _arrays(_read_all(Path(path)))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:  # a hostile pickle can fail in any way
        raise UserError(f"{path}: not a readable .pt file ({reason(error)})") from None


def _arrays(content: Any) -> dict[str, np.ndarray | str]:
    named = content if isinstance(content, dict) else {"labels": content}
    if not isinstance(content, dict | _Array | _Tensor) or any(not isinstance(name, str) for name in named):
        raise UserError(
            "needed is a dictionary of named label arrays, or one integer tensor; found a "
            f"{type(content).__name__}{'; ' + REMEDY if isinstance(content, list | tuple) else ''}"
        )
    return {name: _values(item) for name, item in named.items()}


def _values(item: Any) -> np.ndarray | str:
    if isinstance(item, list) and item and all(type(number) is int and abs(number) < 2**62 for number in item):
        return np.array(item)
    if isinstance(item, _Array | _Tensor):
        return item.values
    return f"is a {_kind(item)}; {REMEDY}"


def _kind(item: Any) -> str:
    within = {type(part).__name__.lstrip("_").lower() for part in item} if isinstance(item, list | tuple) else set()
    return type(item).__name__ + (f" of {' and '.join(sorted(within))}" if within else "")


def _read_all(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"more than {MAX_BYTES} bytes")
    if not zipfile.is_zipfile(path):
        return _read_old(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = next((i for i in archive.infolist() if i.filename.endswith("/data.pkl")), None)
        if member is None or member.file_size > MAX_BYTES:
            raise UserError(f"no data.pkl of at most {MAX_BYTES} bytes inside")
        reader = _Reader(io.BytesIO(archive.read(member)))
        content = reader.load()
        _fill(archive, member.filename.removesuffix("data.pkl"), reader.storages)
    return content


def _fill(archive: zipfile.ZipFile, folder: str, storages: dict[str, _Storage]) -> None:
    """Read the bytes of the storages, each a member of its own."""
    left = MAX_BYTES
    for key, storage in storages.items():
        member = archive.getinfo(f"{folder}data/{key}")
        left -= member.file_size
        if left < 0:
            raise UserError(f"more than {MAX_BYTES} bytes of tensors")
        storage.data = archive.read(member)
    order = f"{folder}byteorder"
    if order in archive.namelist() and archive.getinfo(order).file_size < 16 and archive.read(order) == b"big":
        raise UserError("tensors written on a big-endian machine")


def _read_old(data: bytes) -> Any:
    """Read the format of torch before 1.6: three pickles of header, the content, then the storages in turn."""
    stream = io.BytesIO(data)
    for _ in range(3):
        _Reader(stream).load()
    reader = _Reader(stream)
    content = reader.load()
    if reader.storages:
        for key in _Reader(stream).load():
            storage = reader.storages[key]
            (size,) = struct.unpack("<q", stream.read(8))
            if size != storage.size:
                raise UserError(f"a tensor of {storage.size} values with {size}")
            storage.data = stream.read(size * storage.dtype.itemsize)
    return content
