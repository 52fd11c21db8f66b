"""Tables of numbers that somebody else made, CSV or parquet, read by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smearlab.core.errors import UserError
from smearlab.store.npz import memory_bound, reason
from smearlab.store.text_tables import delimiter_of, is_number

SUFFIXES = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class FeatureTable:
    """A table whose first line names its columns; first_row: what the file calls the first row of values."""

    path: str
    columns: tuple[str, ...]
    first_row: int

    def texts(self, name: str) -> np.ndarray:
        """Return a column as text, str (N,), empty where nothing stands."""
        column = self._read([name], text=True)[0].to_pylist()
        return np.array(["" if value is None else str(value) for value in column], dtype=str)

    def numbers(self, names: Sequence[str]) -> np.ndarray:
        """Return columns as float64 (N, D), NaN where nothing stands; UserError for a column that holds no numbers."""
        columns = self._read(names, text=False)
        values = np.empty((len(columns[0]), len(names)), order="F")
        for i, (name, column) in enumerate(zip(names, columns, strict=True)):
            values[:, i] = self._as_numbers(name, column)
        return np.ascontiguousarray(values)

    def _as_numbers(self, name: str, column: Any) -> np.ndarray:
        import pyarrow as pa

        if pa.types.is_null(column.type):
            return np.full(len(column), np.nan)
        numeric = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
        if not any(is_so(column.type) for is_so in numeric):
            shown = next((str(value) for value in column.to_pylist() if not _is_number(value)), "")
            raise UserError(
                f"{self.path}: column {name!r} holds what is no number, such as {shown[:40]!r}: code it as numbers, or "
                "leave it out (leave_out)"
            )
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)

    def _read(self, names: Sequence[str], *, text: bool) -> list[Any]:
        """Return columns as arrays of pyarrow."""
        try:
            table = self._parquet(names) if self.path.endswith(".parquet") else self._csv(names, text=text)
            return [table.column(name).combine_chunks() for name in names]
        except UserError:
            raise
        except Exception as error:  # a damaged file makes the reader fail in any way
            raise UserError(f"{self.path}: cannot be read ({reason(error)})") from error

    def _parquet(self, names: Sequence[str]) -> Any:
        import pyarrow.parquet

        return pyarrow.parquet.read_table(self.path, columns=list(names))

    def _csv(self, names: Sequence[str], *, text: bool) -> Any:
        import pyarrow as pa
        import pyarrow.csv

        types = {name: pa.string() for name in names} if text else {}
        return pyarrow.csv.read_csv(
            self.path,
            parse_options=pyarrow.csv.ParseOptions(delimiter=_delimiter(self.path)),
            convert_options=pyarrow.csv.ConvertOptions(include_columns=list(names), column_types=types),
        )


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, str) and is_number(value))


def open_table(path: str) -> FeatureTable:
    """Return a table by the names in its first line; UserError if it is absent, too large, or names no columns."""
    file = Path(path)
    if not file.is_file():
        raise UserError(f"{path}: no such file")
    if file.stat().st_size > memory_bound():
        raise UserError(f"{path}: {file.stat().st_size:,} bytes, at most {memory_bound():,} are read")
    names = _parquet_names(path) if path.endswith(".parquet") else _csv_names(path)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: two columns are called {twice!r}; give each a name of its own")
    return FeatureTable(path, tuple(names), 0 if path.endswith(".parquet") else 2)


def _parquet_names(path: str) -> list[str]:
    import pyarrow.parquet

    try:
        names = list(pyarrow.parquet.read_schema(path).names)
    except Exception as error:
        raise UserError(f"{path}: cannot be read as parquet ({reason(error)})") from error
    return [name for name in names if not name.startswith("__index_level_")]  # what pandas keeps of its own


def _csv_names(path: str) -> list[str]:
    import csv

    names = next(csv.reader([_first_line(path)], delimiter=_delimiter(path)), [])
    if not names or all(is_number(name) for name in names):
        raise UserError(f"{path}: the first line must name the columns; it is {', '.join(names)[:60] or 'empty'}")
    return names


def _delimiter(path: str) -> str:
    return "\t" if path.endswith(".tsv") else delimiter_of(_first_line(path))


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.readline(2**20).rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"{path}: cannot be read: it is no text in UTF-8; save it as UTF-8") from None
