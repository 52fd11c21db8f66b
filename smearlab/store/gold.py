"""A gold set: a table of examples with their true label, filled in by hand, and what each of them stands for.

Columns: `row` (the example's position in the data set's own order), `path` (its file, where it has one), `part`,
`given` (the label that came with it), `stratum` and `of` (what it was drawn from, and how many examples that has),
`label` (the true one: a class name or its index; empty where nobody knows it yet).
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smearlab.core.class_labels import WHOLE, class_order
from smearlab.core.errors import UserError
from smearlab.store.text_tables import delimiter_of

COLUMNS = ("row", "path", "part", "given", "stratum", "of", "label")
NEEDED = ("row", "label")
PARTS = ("train", "validation", "test")
ALL = "all"


@dataclass(frozen=True)
class Entry:
    """One example of a gold set; label -1: not filled in. of: the size of its stratum, 0 where the table lacks it."""

    line: int
    row: int
    path: str
    part: str
    given: str
    stratum: str
    of: int
    label: int


@dataclass(frozen=True)
class Example:
    """What the data set itself says of an example: its part and the class of the label given, -1 for none."""

    part: str
    given: int


def read_gold(path: str | Path, class_names: Sequence[str]) -> list[Entry]:
    """Read a table; UserError, one line with its place, for an absent column, a row that is none, an unknown class."""
    columns, rows = _rows(Path(path))
    if missing := [name for name in NEEDED if name not in columns]:
        raise UserError(f"{path}: lacks the column {missing[0]!r}; it holds {', '.join(columns)}")
    entries = [_entry(f"{path}: line {line}", line, row, class_names) for line, row in rows]
    seen: dict[int, int] = {}
    for entry in entries:
        if entry.row in seen:
            raise UserError(f"{path}: line {entry.line}: row {entry.row} stands in line {seen[entry.row]} already")
        seen[entry.row] = entry.line
    return entries


def check_gold(path: str | Path, entries: Sequence[Entry], examples: dict[int, Example], names: Sequence[str]) -> None:
    """Refuse a table that is not about these examples: by row, what the data set says of them."""
    for entry in entries:
        where = f"{path}: line {entry.line}"
        known = examples.get(entry.row)
        if known is None:
            raise UserError(f"{where}: the data set has no example in row {entry.row}")
        if entry.part and entry.part != known.part:
            raise UserError(f"{where}: row {entry.row} is a {known.part} example, not {entry.part}")
        if entry.given and known.given >= 0 and entry.given != names[known.given]:
            said = f"the label given to row {entry.row} is {names[known.given]!r}, not {entry.given!r}"
            raise UserError(f"{where}: {said}: the table was made for other data")


def strata(entries: Sequence[Entry], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return stratum numbers (n,) and stratum sizes (H,) of filled-in entries of one part, which has `size` examples.

    Entries without a stratum were drawn from the whole part.
    """
    names = list(dict.fromkeys(entry.stratum or ALL for entry in entries))
    numbers = np.array([names.index(entry.stratum or ALL) for entry in entries], dtype=np.int64)
    of = {entry.stratum or ALL: entry.of or size for entry in entries}
    return numbers, np.array([of[name] for name in names], dtype=np.int64)


def gold_text(entries: Sequence[Entry], class_names: Sequence[str]) -> str:
    """Return the table of a gold set as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for e in entries:
        label = class_names[e.label] if e.label >= 0 else ""
        writer.writerow([e.row, e.path, e.part, e.given, e.stratum, e.of or "", label])
    return buffer.getvalue()


def _rows(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            delimiter = delimiter_of(file.readline())
            file.seek(0)
            reader = csv.DictReader(file, strict=True, delimiter=delimiter)
            columns = [name.strip() for name in reader.fieldnames or []]
            rows = [(i, {str(k).strip(): (v or "").strip() for k, v in row.items()}) for i, row in enumerate(reader, 2)]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError, AttributeError) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    return columns, [(line, row) for line, row in rows if any(row.values())]


def _entry(where: str, line: int, row: dict[str, str], class_names: Sequence[str]) -> Entry:
    part = row.get("part", "")
    if part not in ("", *PARTS):
        raise UserError(f"{where}: part {part!r} is none of {', '.join(PARTS)}")
    return Entry(
        line,
        _whole(where, "row", row["row"]),
        row.get("path", ""),
        part,
        row.get("given", ""),
        row.get("stratum", ""),
        _whole(where, "of", row["of"]) if row.get("of") else 0,
        class_of(where, row["label"], class_names),
    )


def _whole(where: str, column: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UserError(f"{where}: {column} is {text!r}; a whole number from 0 on is needed")
    return int(text)


def class_of(where: str, text: str, class_names: Sequence[str]) -> int:
    """Return the class that a text names, or counts where names are no numbers; -1 for none; UserError otherwise."""
    if text in ("", "-1"):
        return -1
    if text in class_names:
        return list(class_names).index(text)
    numbered = any(WHOLE.fullmatch(name) for name in class_names)
    if not numbered and text.isascii() and text.isdigit() and int(text) < len(class_names):
        return int(text)
    raise UserError(f"{where}: {text!r} is no class; the classes are {class_order(class_names)}")
