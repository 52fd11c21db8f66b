"""The shape that an array in an .npz file declares, for a plan: nothing is read, and nothing refused."""

import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

UNREADABLE = (OSError, KeyError, ValueError, EOFError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile)
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def npz_shape(path: str | Path, name: str) -> tuple[int, ...] | None:
    """Return the shape of an array; None where the file does not hold it, or cannot be read."""
    if not Path(path).is_file():  # a device has no end
        return None
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            return HEADERS[np.lib.format.read_magic(member)](member)[0]
    except UNREADABLE:
        return None
