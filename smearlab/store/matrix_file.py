"""A transition matrix from a file that somebody else made, with the class names that it may carry."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.npz import read_npz
from smearlab.store.text_tables import delimiter_of, is_number

MAX_BYTES = 256 * 2**20
SUFFIXES = (".npy", ".csv", ".json", ".npz", ".tsv", ".txt")
MATRIX_NAMES = ("transition", "T", "matrix")
CLASS_NAMES = ("class_names", "classes", "names")


@dataclass(frozen=True)
class MatrixFile:
    """What stands in the file: rows of numbers, and the names of the rows (true) and columns (observed), if any."""

    rows: Any
    true: Sequence[str] | None = None
    observed: Sequence[str] | None = None


def read_matrix(path: str | Path, where: str, max_bytes: int = MAX_BYTES) -> MatrixFile:
    """Return what a file holds, not yet checked to be a matrix; UserError, naming `where`, if it cannot be read."""
    try:
        return _read(Path(path), max_bytes)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except (OSError, ValueError, EOFError, RecursionError) as error:
        raise UserError(f"{where}: {path}: cannot be read ({error})") from None


def _read(path: Path, max_bytes: int) -> MatrixFile:
    """Read .npy, .npz, .json (rows; a mapping of class to class to number; rows with class names), .csv, .tsv, .txt.

    UserError for another kind of file and for one that is too large; OSError and ValueError for a damaged one.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: allowed are {', '.join(SUFFIXES)}")
    if path.stat().st_size > max_bytes:
        raise UserError(f"{path}: more than {max_bytes} bytes")
    match path.suffix:
        case ".npy":
            # Mapped, so that a header that promises more than the file holds is refused without memory.
            return MatrixFile(np.array(np.lib.format.open_memmap(path, mode="r")))
        case ".npz":
            return _of_named(path, {name: values.tolist() for name, values in read_npz(path).items()})
        case ".json":
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            return _of_named(path, content) if isinstance(content, dict) else MatrixFile(content)
    return _of_text(path.read_text(encoding="utf-8-sig"))


def _of_named(path: Path, content: Mapping[str, Any]) -> MatrixFile:
    if content and all(isinstance(row, dict) for row in content.values()):
        observed = list(next(iter(content.values())))
        if any(set(row) != set(observed) for row in content.values()):
            raise UserError(f"{path}: every class needs a number for each class, in one mapping")
        return MatrixFile([[row[name] for name in observed] for row in content.values()], list(content), observed)
    found = [name for name in MATRIX_NAMES if name in content]
    rest = set(content) - {*MATRIX_NAMES, *CLASS_NAMES}
    if len(content) == 1 and rest:
        found, rest = [next(iter(content))], set()
    if len(found) != 1 or rest:
        raise UserError(
            f"{path}: holds {', '.join(content) or 'nothing'}; needed is transition, and class_names if known"
        )
    names = next((list(map(str, content[name])) for name in CLASS_NAMES if name in content), None)
    return MatrixFile(content[found[0]], names, names)


def _of_text(text: str) -> MatrixFile:
    lines = [line for line in text.splitlines() if line.strip()]
    delimiter = delimiter_of(lines[0]) if lines else ","
    if lines and delimiter not in lines[0]:
        rows = [line.split() for line in lines]
    else:
        rows = [
            [field.strip() for field in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
        ]
    return _named_rows(rows)


def _named_rows(rows: list[list[str]]) -> MatrixFile:
    """Part a table into names and numbers: a first line or column of words, or one more than the numbers need."""
    width = max(map(len, rows), default=0)
    observed = true = None
    if rows and _is_header(rows, width):
        observed, rows = rows[0], rows[1:]
    one_more = width == len(rows) + 1 and (observed is None or not observed[0])
    if rows and (one_more or not all(is_number(row[0]) for row in rows if row)):
        true, rows = [row[0] for row in rows if row], [row[1:] for row in rows]
        observed = observed[1:] if observed is not None and len(observed) == len(true) + 1 else observed
    return MatrixFile([[float(field) for field in row] for row in rows], true, observed)


def _is_header(rows: list[list[str]], width: int) -> bool:
    """Whether the first line names columns: by words beyond its first field, which may name a row, or by the shape."""
    first, *rest = rows[0]
    words = not all(map(is_number, rest)) or not first
    corner = len(rows) == width and not is_number(first) and not all(is_number(row[0]) for row in rows[1:])
    return words or len(rows) == width + 1 or (corner and [*map(str, range(width - 1))] == rest)
