"""Named columns of integer labels from a file that somebody else made."""

import csv
from pathlib import Path

import numpy as np

from smearlab.core.errors import UserError
from smearlab.noises._array_pickle import MAX_BYTES, read_array_pickle
from smearlab.store.npz import read_npz, reason


def read_columns(path: str | Path) -> dict[str, np.ndarray]:
    """Return the label columns of a .pt, .npz, .npy (one column, "labels") or .csv file, each int (N,).

    Raises UserError for a file that cannot be read and for a column that does not hold whole numbers.
    """
    path = Path(path)
    readers = {".pt": read_array_pickle, ".npz": _read_npz, ".npy": _read_npy, ".csv": _read_csv}
    if path.suffix not in readers:
        raise UserError(f"{path}: label files are {', '.join(readers)}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: more than {MAX_BYTES} bytes")
        columns = readers[path.suffix](path)
    except UserError:
        raise
    except Exception as error:  # a hostile file can make numpy and csv fail in any way
        raise UserError(f"{path}: cannot be read ({reason(error)})") from None
    return {name: values.reshape(-1) for name, values in columns.items() if values.dtype.kind in "iu"}


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    return read_npz(path)


def _read_npy(path: Path) -> dict[str, np.ndarray]:
    # Mapped, so that a header that promises more than the file holds is refused without memory.
    return {"labels": np.array(np.lib.format.open_memmap(path, mode="r"))}


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if any(len(row) != len(header) for row in rows):
        raise UserError(f"{path}: not every line has the {len(header)} fields of the first")
    columns = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    return {name: np.array(fields, dtype=np.int64) for name, fields in columns.items() if _whole(fields)}


def _whole(fields: tuple[str, ...]) -> bool:
    return all(field.strip().lstrip("-").isdigit() for field in fields)
