"""A table of the page: plain texts in rows."""

from dataclasses import dataclass, field

from smearlab.figures import _format as text

LONG = 30  # letters from which a column's texts get room


@dataclass(frozen=True)
class Field:
    """One field of a table: its text, the slug of a verdict chip, a small note beside it."""

    text: str
    chip: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page. same: the columns that have one value throughout, said once above it."""

    title: str
    columns: list[str]
    rows: list[list[Field]]
    same: list[tuple[str, str]] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    note: str = ""


def table(title: str, records: list[dict[str, Field]], note: str = "") -> Table:
    """Return a table of records; columns that say the same in every row are said once, empty ones not at all.

    What was found (a verdict's chip) stands in the first column: wide tables are cut off at their end.
    """
    kept = sorted(
        [column for column in records[0] if not _is_same(records, column)],
        key=lambda column: not any(record[column].chip for record in records),
    )
    once = [(column, records[0][column].text) for column in records[0] if column not in kept]
    same = [(column, value) for column, value in once if value not in ("", text.DASH)]
    kinds = [_kind([record[column].text for record in records]) for column in kept]
    return Table(title, kept, [[record[column] for column in kept] for record in records], same, kinds, note)


def wide_table(title: str, records: list[dict[str, Field]], kinds: list[str], note: str = "") -> Table:
    """Return a table that keeps every column, each set as its kind says: "num" to the right, "long" with room."""
    return Table(title, list(records[0]), [list(record.values()) for record in records], [], kinds, note)


def _is_same(records: list[dict[str, Field]], column: str) -> bool:
    values = {record[column].text for record in records}
    return len(values) == 1 and not records[0][column].chip and len(records) > 1


def _kind(values: list[str]) -> str:
    """How a column is set: numbers to the right, long texts with room."""
    if all(map(_is_number, values)):
        return "num"
    return "long" if max(map(len, values)) > LONG else ""


def _is_number(value: str) -> bool:
    return value in (text.DASH, "primary") or value[:1] in "0123456789+−<"
