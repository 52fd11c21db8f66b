"""Which row of a label file belongs to which example: by a column that names the examples, else by place.

A file without such a column is taken in the data's own order where its number of rows is the data's. What can be
aligned in no way is taken by place only where the clean labels prove it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from smearlab.core.class_labels import sorts_as_text
from smearlab.core.errors import UserError
from smearlab.noises._context import NoiseContext
from smearlab.store.example_paths import match_paths

COUNTERS = ("", "unnamed: 0")  # how pandas writes and reads back an index without a name
NAMED = (*COUNTERS, *"index idx path paths file files filename filenames file_name filepath file_path".split())
NAMED_IF_DISTINCT = "id image img image_id img_id image_name img_name image_path img_path name key".split()
LIKE_A_PATH = re.compile(r".*([/\\]|\.[A-Za-z]{2,5}$)")


@dataclass(frozen=True)
class Alignment:
    """The row of each example, int64 (N,).

    unproven: why that is refused unless the labels themselves prove it. doubts: what can be neither proven nor
    refused.
    """

    rows: np.ndarray
    unproven: str | None = None
    doubts: tuple[str, ...] = ()


def align(
    columns: Mapping[str, np.ndarray], context: NoiseContext, where: str, n_rows: int, key: str | None = None
) -> Alignment:
    """Return the row of every example of the context, from the columns beside the labels of `n_rows` rows.

    `key` is the column that names the examples; without it every column that does is used. UserError, naming
    `where`, if rows are too few, `key` does not fit, or two columns order the rows differently.
    """
    if key is not None:
        if key not in columns:
            raise UserError(f"{where}: no column {key!r} to align by; it has {', '.join(map(repr, columns)) or 'none'}")
        return _by_key(columns[key], context, f"{where}: {key}")
    names = [name for name in key_columns(columns, context.n_classes) if not _counts(name, columns[name])]
    found, faults = _attempts(names, lambda name: _by_key(columns[name], context, f"{where}: {name or 'first column'}"))
    first = next(iter(found.values()), None)
    if first is None:
        return _by_place(n_rows, context, where, faults)
    if any((first.rows != other.rows).any() for other in found.values()):
        raise UserError(
            f"{where}: columns {' and '.join(map(repr, found))} order the rows differently; "
            "say in path_column which one names the examples"
        )
    return next((one for one in found.values() if one.unproven is None), first)


def key_columns(columns: Mapping[str, np.ndarray], n_classes: int) -> list[str]:
    """Return the columns that name examples: by their own name, or as all their values differ and are no classes."""
    return [name for name, values in columns.items() if name.lower() in NAMED or _tells_apart(name, values, n_classes)]


def _tells_apart(name: str, values: np.ndarray, n_classes: int) -> bool:
    if len(values) <= n_classes or len(np.unique(values)) < len(values):
        return False
    known = values.dtype.kind == "i" or name.lower() in NAMED_IF_DISTINCT
    return known or all(LIKE_A_PATH.match(text) for text in values.tolist())


def _counts(name: str, values: np.ndarray) -> bool:
    """Whether a column without a name only counts the rows, which says nothing of the examples."""
    return name.lower() in COUNTERS and values.dtype.kind == "i" and (values == np.arange(len(values))).all()


def _attempts(names: Iterable[str], attempt: Callable[[str], Alignment]) -> tuple[dict[str, Alignment], list[str]]:
    found, faults = {}, []
    for name in names:
        try:
            found[name] = attempt(name)
        except UserError as error:
            faults.append(str(error))
    return found, faults


def _by_key(keys: np.ndarray, context: NoiseContext, where: str) -> Alignment:
    distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
    if (counts > 1).any():
        twice = distinct[counts.argmax()]
        raise UserError(f"{where}: {str(twice)!r} stands in {counts.max()} rows; every example needs a row of its own")
    if keys.dtype.kind == "i":
        rows = _rows_of_indices(distinct, first, context, where)
        return Alignment(rows, doubts=_order_doubts(context.names))
    if context.names:
        return Alignment(_rows_of_paths(keys.tolist(), context.names, context.source_index, where))
    return _by_numbers(keys, context, where)


def _by_numbers(keys: np.ndarray, context: NoiseContext, where: str) -> Alignment:
    """Take the numbers in file names for places: a guess, which the labels must prove where it moves any row."""
    numbers = np.array([_number_in(text) for text in keys.tolist()], dtype=np.int64)
    unnamed = (
        f"{where}: {str(keys[0])!r} names an example, and the examples of data set {context.dataset_kind!r} have "
        "no names; give a column `index` of their places, counted from 0"
    )
    if (np.sort(numbers) != np.arange(len(numbers))).any():
        raise UserError(unnamed)
    rows = _rows_of_indices(*np.unique(numbers, return_index=True), context, where)
    return Alignment(rows, unnamed if (rows != context.source_index).any() else None)


def _number_in(text: str) -> int:
    """Return the one number in a file's name, -1 where there is none or are several."""
    numbers = re.findall(r"[0-9]{1,15}", re.sub(r"\.\w+$", "", re.split(r"[/\\]", text)[-1]))
    return int(numbers[0]) if len(numbers) == 1 else -1


def _rows_of_indices(distinct: np.ndarray, first: np.ndarray, context: NoiseContext, where: str) -> np.ndarray:
    if len(distinct) and distinct[0] == 1 and distinct[-1] == len(distinct):
        raise UserError(f"{where}: counts examples from 1 to {len(distinct)}; places count from 0: subtract 1")
    if context.sizes and len(distinct) and not 0 <= distinct[0] <= distinct[-1] < max(context.sizes):
        raise UserError(
            f"{where}: runs from {distinct[0]} to {distinct[-1]}; the examples are 0 to {max(context.sizes) - 1}"
        )
    place = np.searchsorted(distinct, context.source_index)
    present = distinct[np.minimum(place, len(distinct) - 1)] == context.source_index
    if not present.all():
        absent = context.source_index[~present]
        raise UserError(f"{where}: {len(absent)} of {len(present)} examples have no row, first example {absent[0]}")
    return first[place]


def _rows_of_paths(given: list[str], names: tuple[str, ...], source_index: np.ndarray, where: str) -> np.ndarray:
    needed = [names[i] for i in source_index]
    matched = match_paths(given, names, needed)
    if matched is None:
        known = set(given)
        absent = [name for name in needed if name not in known]
        raise UserError(
            f"{where}: {len(absent)} of {len(needed)} examples have no row, first {absent[0]!r}; "
            f"the file names examples as {given[0]!r}"
        )
    row = {name: i for i, name in enumerate(matched) if name is not None}
    return np.array([row[name] for name in needed], dtype=np.int64)


def _by_place(n_rows: int, context: NoiseContext, where: str, faults: list[str]) -> Alignment:
    needed, known = int(context.source_index.max()) + 1, context.sizes
    has = f"{min(known)} examples outside the test part, {max(known)} in all" if known else f"{needed} examples"
    if n_rows < needed:
        raise UserError(f"{where}: {n_rows} labels; the data has {has}")
    if faults:
        return Alignment(context.source_index, faults[0])
    if known and n_rows not in known:
        return Alignment(context.source_index, f"{where}: {n_rows} labels; the data has {has}")
    return Alignment(context.source_index, doubts=_order_doubts(context.names))


def _order_doubts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Files 1, 2, …, 10 of a class stand in the order 1, 10, 2: rows in the other order would agree as often."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    mixed = next((found for found in folders.values() if sorts_as_text(found)), None)
    if mixed is None:
        return ()
    shown = ", ".join(mixed[:3])
    return (f"rows were taken in the order of file names as text ({shown}); if they follow numbers, add a column path",)
