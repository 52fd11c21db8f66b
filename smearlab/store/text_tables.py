"""Tables of text that somebody else made: CSV, tab or space separated, with or without a header."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smearlab.core.errors import UserError

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class TextTable:
    """Named columns of one length. `first_line`: what the names are, where they could be a row of values as well."""

    columns: dict[str, tuple[str, ...]]
    first_line: tuple[str, ...] | None = None

    def without_header(self) -> dict[str, tuple[str, ...]]:
        """Return the columns with the first line as a row, named by their numbers (one alone: labels)."""
        first = self.first_line or ()
        rows = [(field, *column) for field, column in zip(first, self.columns.values(), strict=True)]
        return _numbered(rows)


def read_text_table(path: Path) -> TextTable:
    """Read a table in UTF-8, with or without a byte order mark; UserError for lines of different length.

    The delimiter is the one of comma, semicolon and tab that parts the first line most; in a .txt without one it
    is white space. The first line is a header unless it looks like the lines below it.
    """
    rows = _rows(path)
    if not rows:
        raise UserError(f"{path}: cannot be read (it is empty)")
    width = len(rows[0])  # an empty line has none: it could be a label that is absent
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise UserError(f"{path}: not every line has the {width} fields of the first; row {number} has {len(row)}")
    return _table(path, rows)


def delimiter_of(line: str) -> str:
    """Return the one of comma, semicolon and tab that parts a line most; the comma where none does."""
    parts = {mark: len(next(csv.reader([line], delimiter=mark), [])) for mark in DELIMITERS}
    return max(parts, key=lambda mark: parts[mark])


def _rows(path: Path) -> list[list[str]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            delimiter = "\t" if path.suffix == ".tsv" else delimiter_of(first)
            if path.suffix == ".txt" and delimiter not in first:
                rows = [line.split() for line in file.read().splitlines()]
            else:
                rows = list(csv.reader(file, delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        raise UserError(f"{path}: cannot be read: it is no text in UTF-8; save it as UTF-8") from None
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _table(path: Path, rows: list[list[str]]) -> TextTable:
    header, columns = rows[0], list(zip(*rows[1:], strict=True))
    if not columns:
        return TextTable(_numbered([(field,) for field in header]) if all(map(is_number, header)) else {})
    named = TextTable(_named(path, header, columns)) if any(not field.strip() for field in header) else None
    like = [] if named else [_is_like(field, column) for field, column in zip(header, columns, strict=True)]
    repeated = all(map(is_number, header)) and len(set(header)) < len(header)  # numbers that name no columns
    if "word" in like or repeated or (path.suffix == ".txt" and set(like) == {"number"}):  # a .txt has one label a line
        return TextTable(_numbered([(field, *column) for field, column in zip(header, columns, strict=True)]))
    return named or TextTable(_named(path, header, columns), tuple(header) if "number" in like else None)


def _is_like(field: str, column: Sequence[str]) -> str | None:
    """Say whether a field of the first line is a `word` that comes again below it, or a `number` above numbers."""
    if is_number(field):
        return "number" if all(map(is_number, column)) else None
    return "word" if field in column else None


def is_number(field: str) -> bool:
    """Whether a text is a number, whole or not."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def _named(path: Path, header: list[str], columns: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    names = [name.strip() for name in header]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{path}: two columns are called {twice!r}; give each a name of its own")
    return dict(zip(names, columns, strict=True))


def _numbered(columns: list[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {"labels" if len(columns) == 1 else str(i): column for i, column in enumerate(columns)}
