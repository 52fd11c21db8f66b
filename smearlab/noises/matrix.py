"""Noise of any transition matrix, read from a file; T[true, observed], rows summing to 1."""

import json
from pathlib import Path

import numpy as np

from smearlab.core.errors import UserError
from smearlab.core.transition import check_transition

RATED = False
GIVEN = "transition"
MAX_BYTES = 256 * 2**20


def transition(n_classes: int, *, rate: float | None = None, path: str) -> np.ndarray:
    """Return T, (L, L), from a .npy, .csv (L lines of L numbers, no header) or .json (a list of rows) file.

    Raises UserError for a file that cannot be read, or whose content is no transition matrix of L classes.
    """
    try:
        matrix = _read(Path(path))
    except (OSError, ValueError, EOFError, RecursionError) as error:
        raise UserError(f"noise 'matrix': {path}: cannot be read ({error})") from None
    return check_transition(matrix, f"noise 'matrix': {path}", n_classes)


def _read(path: Path) -> object:
    if path.stat().st_size > MAX_BYTES:
        raise UserError(f"noise 'matrix': {path}: more than {MAX_BYTES} bytes")
    match path.suffix:
        case ".npy":
            # Mapped, so that a header that promises more than the file holds is refused without memory.
            return np.array(np.lib.format.open_memmap(path, mode="r"))
        case ".csv":
            lines = path.read_text(encoding="utf-8").splitlines()
            return [[float(field) for field in line.split(",")] for line in lines if line.strip()]
        case ".json":
            return json.loads(path.read_text(encoding="utf-8"))
    raise UserError(f"noise 'matrix': {path}: allowed are .npy, .csv and .json")
