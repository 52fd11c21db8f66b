"""Named integer arrays out of the .pt files in which CIFAR-N is published, without running anything in them.

A .pt file is a pickle, and a pickle can call any function. Here the only names it may ask for are those that
rebuild a NumPy array, and each is answered by a stand-in of ours that checks what it is given: no function of
NumPy, torch or Python is called on the file's behalf.
"""

import io
import math
import pickle
import re
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.npz import reason

MAX_BYTES = 256 * 2**20
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
        self.values = values.reshape(-1)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


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
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in STAND_INS:
            raise UserError(f"it asks for {module}.{name}, and only integer arrays are read")
        return STAND_INS[module, name]


def read_array_pickle(path: str | Path) -> dict[str, np.ndarray]:
    """Return the integer arrays of a .pt file, each flattened, by name.

    Raises UserError naming the file for anything else in it, for a damaged file, and above MAX_BYTES.
    """
    try:
        content = _read_all(Path(path))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except Exception as error:  # a hostile pickle can fail in any way
        raise UserError(f"{path}: not a readable .pt file ({reason(error)})") from None
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UserError(f"{path}: needed is a dictionary of named label arrays")
    return {name: item.values for name, item in content.items() if isinstance(item, _Array)}


def _read_all(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"more than {MAX_BYTES} bytes")
    if not zipfile.is_zipfile(path):
        return _read_old(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = next((i for i in archive.infolist() if i.filename.endswith("/data.pkl")), None)
        if member is None or member.file_size > MAX_BYTES:
            raise UserError(f"no data.pkl of at most {MAX_BYTES} bytes inside")
        return _Reader(io.BytesIO(archive.read(member))).load()


def _read_old(data: bytes) -> Any:
    """Read the format of torch before 1.6: three pickles of header, then the content."""
    stream = io.BytesIO(data)
    for _ in range(3):
        _Reader(stream).load()
    return _Reader(stream).load()
