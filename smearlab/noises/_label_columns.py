"""Named columns of labels from a file that somebody else made, in the forms in which label files are published."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.class_labels import WHOLE
from smearlab.core.errors import UserError
from smearlab.noises._array_pickle import MAX_BYTES, read_array_pickle
from smearlab.store.npz import read_npz, reason
from smearlab.store.text_tables import TextTable, read_text_table

ONE = "labels"  # what the column of a file with one unnamed column is called
SUFFIXES = (".pt", ".npz", ".npy", ".csv", ".tsv", ".txt", ".json", ".pth")


@dataclass(frozen=True)
class LabelFile:
    """Columns of one label per row: int64 or text, (N,). `unread`: why another column holds no labels, by name.

    `headless`: the same file with its first line as a row, where that is possible too. `shares`: the columns whose
    numbers sum to 1 in each row, as those of one-hot labels and of probabilities do.
    """

    columns: dict[str, np.ndarray]
    unread: dict[str, str] = field(default_factory=dict)
    headless: "LabelFile | None" = None
    shares: tuple[str, ...] = ()


def read_label_file(path: str | Path) -> LabelFile:
    """Return the columns of a .pt, .pth, .npz, .npy, .csv, .tsv, .txt or .json file.

    A text of whole numbers is read as numbers. Raises UserError for a file that cannot be read.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path}: label files are {', '.join(SUFFIXES)}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path}: more than {MAX_BYTES} bytes")
        return _read(path)
    except UserError:
        raise
    except Exception as error:  # a hostile file can make numpy, json and csv fail in any way
        raise UserError(f"{path}: cannot be read ({reason(error)})") from None


def _read(path: Path) -> LabelFile:
    match path.suffix:
        case ".pt" | ".pth":
            items = read_array_pickle(path)
            arrays = {name: item for name, item in items.items() if not isinstance(item, str)}
            found = _of_arrays(arrays)
            return replace(found, unread=found.unread | {n: why for n, why in items.items() if isinstance(why, str)})
        case ".npz":
            return _of_arrays(read_npz(path))
        case ".npy":
            return _of_arrays({ONE: _read_npy(path)})
        case ".json":
            return _of_json(path, json.loads(path.read_text(encoding="utf-8-sig")))
    return _of_text(read_text_table(path))


def _read_npy(path: Path) -> np.ndarray:
    with open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version < (2, 0) else np.lib.format.read_array_header_2_0
        if read_header(file)[2].hasobject:
            raise UserError(
                f"{path}: cannot be read: it holds pickled Python objects, a dictionary or a list, which could run "
                "code; write its arrays with numpy.savez(FILE.npz, NAME=array) instead"
            )
    # Mapped, so that a header that promises more than the file holds is refused without memory.
    return np.array(np.lib.format.open_memmap(path, mode="r"))


def _of_arrays(arrays: dict[str, np.ndarray]) -> LabelFile:
    faults = {name: _array_fault(values) for name, values in arrays.items()}
    return LabelFile(
        {name: _column(values) for name, values in arrays.items() if faults[name] is None},
        {name: fault for name, fault in faults.items() if fault is not None},
    )


def _array_fault(values: np.ndarray) -> str | None:
    if values.ndim != 1 and not (values.ndim == 2 and values.shape[1] == 1):
        return f"has shape {values.shape}; needed is one label a row, (N,) or (N, 1){_shape_hint(values)}"
    if values.dtype.kind in "iuUS":
        return None
    return f"holds {values.dtype} numbers{_nan(values)}, labels are whole numbers or names; convert with .astype(int)"


def _shape_hint(values: np.ndarray) -> str:
    if values.ndim == 2 and values.dtype.kind in "biuf" and values.size:
        for axis, word in ((1, "rows"), (0, "columns")):
            if np.isfinite(values).all() and np.allclose(values.sum(axis=axis), 1.0):
                return f"; its {word} sum to 1, as one-hot labels do: give .argmax(axis={axis})"
    return "; give one column" if values.ndim == 2 and values.shape[0] != 1 else "; give .reshape(-1)"


def _nan(values: np.ndarray) -> str:
    missing = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    return f", {missing} of them NaN" if missing else ""


def _column(values: np.ndarray) -> np.ndarray:
    values = values.reshape(-1)
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    return values.astype(str) if values.dtype.kind == "U" else np.char.decode(values, "utf-8")


def _of_text(table: TextTable) -> LabelFile:
    headless = None if table.first_line is None else _of_fields(table.without_header())
    return LabelFile(**vars(_of_fields(table.columns)) | {"headless": headless})


def _of_fields(columns: dict[str, tuple[str, ...]]) -> LabelFile:
    read = {name: _parsed([text.strip() for text in fields]) for name, fields in columns.items()}
    return LabelFile(
        {name: values for name, values in read.items() if isinstance(values, np.ndarray)},
        {name: fault for name, fault in read.items() if isinstance(fault, str)},
        shares=_shares(columns),
    )


def _shares(columns: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns of numbers from 0 to 1 if there are several and they sum to 1 in each row."""
    numbers = {name: [_share(text) for text in fields] for name, fields in columns.items()}
    found = {name: values for name, values in numbers.items() if None not in values}
    if len(found) < 2:
        return ()
    sums = np.sum(np.array(list(found.values()), dtype=np.float64), axis=0)
    return tuple(found) if len(sums) and np.allclose(sums, 1.0) else ()


def _share(text: str) -> float | None:
    """Return a number from 0 to 1 (true and false are such), None for any other text."""
    number = {"true": 1.0, "false": 0.0}.get(text.strip().lower(), _number(text))
    return number if number is not None and 0.0 <= number <= 1.0 else None


def _parsed(fields: Sequence[str]) -> np.ndarray | str:
    """Return whole numbers int64 (N,), other texts str (N,), or why these are no labels."""
    if all(WHOLE.fullmatch(text) for text in fields):
        return np.array([int(text) for text in fields], dtype=np.int64)
    numbers = [_number(text) for text in fields]
    if "" in fields:
        return f"has {fields.count('')} empty fields, first in row {fields.index('') + 1}"
    if any(number is None for number in numbers):
        return np.array(fields, dtype=str)
    odd = next(
        (t for t, number in zip(fields, numbers, strict=True) if number is None or not number.is_integer()), None
    )
    if odd is not None:
        return f"holds {odd}, which is no whole number"
    return np.array([int(number) for number in numbers if number is not None], dtype=np.int64)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _of_json(path: Path, content: Any) -> LabelFile:
    if _is_one_hot(content):
        raise UserError(
            f"{path}: its lists are one-hot, one for each example: give the place of the 1, one whole number"
        )
    columns = _json_columns(content)
    if (
        columns is None
        or not columns
        or any(len(values) != len(columns[next(iter(columns))]) for values in columns.values())
    ):
        raise UserError(
            f"{path}: cannot be read: needed is a list of labels, a mapping of example to label, "
            f"or a mapping of names to lists of one length; found {_kind_of(content)}"
        )
    odd = {name: next((v for v in values if type(v) not in (int, str)), None) for name, values in columns.items()}
    plain = {name: tuple(map(str, values)) for name, values in columns.items() if odd[name] is None}
    found = _of_fields(plain)
    unread = {name: f"holds {value!r}, no label" for name, value in odd.items() if value is not None}
    shares = _shares({name: tuple(map(str, values)) for name, values in columns.items()})
    return replace(found, unread=found.unread | unread, shares=shares)


def _is_one_hot(content: Any) -> bool:
    """Whether a mapping of examples to lists, or the one list in a mapping, holds lists with a single 1 each."""
    if not isinstance(content, dict) or not all(isinstance(rows, list) and rows for rows in content.values()):
        return False
    rows = next(iter(content.values())) if len(content) == 1 else list(content.values())
    lists = all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows) if rows else False
    return lists and (len(content) == 1 or len(rows) > len(rows[0])) and all(map(_is_unit, rows))


def _is_unit(row: Sequence[Any]) -> bool:
    """Whether a list holds zeros and a single 1."""
    return all(isinstance(number, int | float) and number in (0, 1) for number in row) and sum(row) == 1


def _json_columns(content: Any) -> dict[str, list] | None:
    match content:
        case list() if content and all(isinstance(row, dict) and row.keys() == content[0].keys() for row in content):
            return {name: [row[name] for row in content] for name in content[0]}
        case list() if content and all(isinstance(row, list) and len(row) == len(content[0]) for row in content):
            return {str(i): list(column) for i, column in enumerate(zip(*content, strict=True))}
        case list():
            return {ONE: content}
        case dict() if content and all(isinstance(values, list) for values in content.values()):
            return content
        case dict() if content:
            return {"": list(content), ONE: list(content.values())}
    return None


def _kind_of(content: Any) -> str:
    match content:
        case list():
            return "rows of different length or kind"
        case dict():
            return "lists of different length"
    return f"a {type(content).__name__}"
