"""Reading .npz files that somebody else made: what they declare is checked before memory is given to it."""

import math
import os
import struct
import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.large import is_large, zeros

MAX_BYTES = 64 * 2**30
MAX_MEMBERS = 1000
MAX_RATIO = 200  # deflate reaches 1000 on nothing but zeros; images stay far below
SMALL = 256 * 2**20  # below this, a high ratio is no danger
CHUNK = 4 * 2**20
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: str | Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read those of the named arrays that the file has (all of them for None), in the file's order.

    Only plain numbers and strings are read, never pickled objects. An array of bytes that is too large for memory is
    mapped from the file if it stands there unpacked, or else unpacked, a part at a time, to a file without a name. What
    the disk has room for may be larger than the memory; all others may not. UserError names the file
    when it is absent, no .npz, damaged, or declares members that are unsafe, differ from their size, or are too large.
    """
    with _opened(path) as archive:
        members = _safe_members(archive)
        wanted = [name for name in members if names is None or name in names]
        return {name: _read_member(archive, members[name]) for name in wanted}


def npz_names(path: str | Path) -> list[str]:
    """Return the names of the arrays in a file, without reading them; UserError as in read_npz."""
    with _opened(path) as archive:
        return list(_safe_members(archive))


def memory_bound() -> int:
    """Return how many bytes of arrays are read at most: 64 GiB, or what the machine has if that is less."""
    return min(MAX_BYTES, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def reason(error: Exception) -> str:
    """Return what an exception says, on one line; its type if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _opened(path: str | Path) -> Iterator[zipfile.ZipFile]:
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # a hostile file can make zipfile and numpy fail in any way
        raise UserError(f"{path}: not an .npz file, or a damaged one ({reason(error)})") from error


def _safe_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise UserError(f"holds {len(infos)} members, at most {MAX_MEMBERS} are read")
    for info in infos:
        _check_member(info)
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    if len(members) < len(infos):
        raise UserError("holds two members of the same name")
    held = sum(info.file_size for info in infos if not is_large(info.file_size))
    if held > memory_bound():
        raise UserError(f"declares {held:,} bytes of arrays, at most {memory_bound():,} are read")
    read = [info for info in infos if not _may_be_mapped(info)]
    total, packed = sum(info.file_size for info in read), sum(info.compress_size for info in read)
    if total > SMALL and total > MAX_RATIO * packed:
        raise UserError(f"declares {total:,} bytes packed into {packed:,}, which no set of images reaches")
    return members


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if not name.endswith(".npy") or any(bad in name for bad in ("/", "\\", "..", ":")):
        raise UserError(f"member {name!r} is not a plain array name")
    if info.flag_bits & 1:
        raise UserError(f"member {name!r} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UserError(f"member {name!r} is packed in a way that numpy does not write")


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(info) as member, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy remarks on old headers; what they say is checked here
        version = np.lib.format.read_magic(member)
        if version not in HEADERS:
            raise UserError(f"member {info.filename!r} has an unknown header version {version}")
        shape, fortran, dtype = HEADERS[version](member)
        start = member.tell()
        _check_header(info, shape, dtype, info.file_size - start)
        of_bytes = dtype == np.uint8 and not fortran
        if info.file_size > memory_bound() and not (of_bytes and is_large(info.file_size)):
            raise UserError(
                f"declares {info.file_size:,} bytes of {info.filename!r}, at most {memory_bound():,} are read"
            )
        if of_bytes and _may_be_mapped(info):
            _compare(cast(zipfile.ZipExtFile, member), info.file_size - start, info.filename)
            return _mapped(Path(str(archive.filename)), info, start, shape)
        array = zeros(shape[::-1], dtype).T if fortran else zeros(shape, dtype)
        _fill(cast(zipfile.ZipExtFile, member), array, info.filename)
    return array


def _may_be_mapped(info: zipfile.ZipInfo) -> bool:
    """Return whether a member is too large for memory and stands unpacked in the file."""
    return info.compress_type == zipfile.ZIP_STORED and is_large(info.file_size)


def _mapped(path: Path, info: zipfile.ZipInfo, start: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return an array of bytes as it stands in the file; start: where it begins in its member."""
    with open(path, "rb") as file:
        file.seek(info.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return np.asarray(np.memmap(path, np.uint8, "r", info.header_offset + 30 + name + extra + start, shape))


def _compare(member: zipfile.ZipExtFile, left: int, name: str) -> None:
    """Read what is left of a member and keep nothing: at its end zipfile compares its checksum."""
    buffer = bytearray(CHUNK)
    while n_read := member.readinto(buffer):
        left -= n_read
    if left:
        raise UserError(f"member {name!r} is cut short")


def _check_header(info: zipfile.ZipInfo, shape: tuple[int, ...], dtype: np.dtype, n_bytes: int) -> None:
    if dtype.hasobject or dtype.kind not in "biufUS" or dtype.itemsize == 0:
        raise UserError(f"member {info.filename!r} has type {dtype}, allowed are plain numbers and strings")
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != n_bytes:
        raise UserError(f"member {info.filename!r} declares {shape} {dtype} but holds {n_bytes:,} bytes")


def _fill(member: zipfile.ZipExtFile, array: np.ndarray, name: str) -> None:
    left = memoryview(array.reshape(-1, order="A").view(np.uint8))  # type: ignore[arg-type]
    while left:
        n_read = member.readinto(left[:CHUNK])  # with the last byte zipfile compares its checksum
        if not n_read:
            raise UserError(f"member {name!r} is cut short")
        left = left[n_read:]
