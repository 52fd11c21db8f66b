"""Matrices that a user brings in a file: .npy, .csv (L lines of L numbers, no header) or .json (a list of rows)."""

import json
from pathlib import Path

import numpy as np

from smearlab.core.errors import UserError

MAX_BYTES = 256 * 2**20


def read_matrix(path: str | Path, where: str, max_bytes: int = MAX_BYTES) -> object:
    """Return what the file holds, not yet checked to be a matrix; UserError, naming `where`, if it cannot be read."""
    try:
        return _read(Path(path), max_bytes)
    except (OSError, ValueError, EOFError, RecursionError) as error:
        raise UserError(f"{where}: {path}: cannot be read ({error})") from None


def _read(path: Path, max_bytes: int) -> object:
    if path.stat().st_size > max_bytes:
        raise ValueError(f"more than {max_bytes} bytes")
    match path.suffix:
        case ".npy":
            # Mapped, so that a header that promises more than the file holds is refused without memory.
            return np.array(np.lib.format.open_memmap(path, mode="r"))
        case ".csv":
            lines = path.read_text(encoding="utf-8").splitlines()
            return [[float(field) for field in line.split(",")] for line in lines if line.strip()]
        case ".json":
            return json.loads(path.read_text(encoding="utf-8"))
    raise ValueError("allowed are .npy, .csv and .json")
