"""Arrays of examples that are too large to be held: they lie in files, which are mapped and read a part at a time.

What was read last stays in the system's page cache, which all jobs of a machine share and which is given back where
memory is short. Numbers do not depend on where an array lies.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smearlab.core.errors import UserError

IN_MEMORY_MB = 1024
CHUNK = 2 * 2**20  # bytes that are read or written at a time; counting their values takes four times as many


def limit() -> int:
    """Return how many bytes of examples are held in memory at most: 1 GiB, or the environment's SMEARLAB_IMAGES_MB."""
    text = os.environ.get("SMEARLAB_IMAGES_MB", str(IN_MEMORY_MB))
    try:
        return round(float(text) * 2**20)
    except (ValueError, OverflowError):
        raise UserError(f"SMEARLAB_IMAGES_MB: {text!r} is no number of MiB") from None


def is_large(n_bytes: int) -> bool:
    """Return whether an array of so many bytes lies in a file, and not in memory."""
    return n_bytes > limit()


def zeros(shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """Return an array of zeros to be filled; a large one lies in a file without a name, which goes with it.

    UserError where the disk has no room for it.
    """
    n_bytes = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if not is_large(n_bytes):
        return np.zeros(shape, dtype)
    check_room(n_bytes, "examples", "make room")
    with tempfile.TemporaryFile(dir=_folder()) as file:
        os.posix_fallocate(file.fileno(), 0, n_bytes)  # a full disk is an error here, and a killed process later
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))


def check_room(n_bytes: int, what: str, remedy: str, *, copies: int = 1) -> None:
    """UserError if so many bytes are not held in memory and their copies have no room on the disk; what: whose."""
    free = shutil.disk_usage(_folder()).free
    if is_large(n_bytes) and copies * n_bytes > free:
        place = f"{free / 2**30:.1f} GiB are free in {_folder()}"
        raise UserError(f"{what} need {copies * n_bytes / 2**30:.1f} GiB of disk, {place}; {remedy}")


def _folder() -> Path:
    """Return where files without a name lie: with the results, which want a disk of that size anyway."""
    return Path("results") if Path("results").is_dir() else Path(tempfile.gettempdir())


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return array[rows] for positions (n,); it lies where an array of that size does."""
    if not is_large(len(rows) * array[:1].nbytes):
        return array[rows]
    found = zeros((len(rows), *array.shape[1:]), array.dtype)
    for part in chunks(len(rows), array[:1].nbytes):
        found[part] = array[rows[part]]
    return found


def chunks(n: int, row_bytes: int) -> Iterator[slice]:
    """Yield slices of n rows that together hold at most some megabytes each."""
    size = max(1, CHUNK // max(1, row_bytes))
    for first in range(0, n, size):
        yield slice(first, first + size)


def value_counts(images: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Return how often each of the 256 values occurs in each channel of images uint8 (N, H, W, C), int64 (C, 256).

    rows: positions (n,) of the images that count; default all.
    """
    counts = np.zeros((images.shape[-1], 256), dtype=np.int64)
    for part in chunks(len(images) if rows is None else len(rows), images[:1].nbytes):
        some = images[part] if rows is None else images[rows[part]]
        counts += np.stack([np.bincount(some[..., c].ravel(), minlength=256) for c in range(images.shape[-1])])
    return counts
