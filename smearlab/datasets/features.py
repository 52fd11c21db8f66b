"""The user's own features, a row of numbers an example: embeddings or a table, in .npz, .csv, .tsv or .parquet."""

import re
from functools import cache
from typing import Any

import numpy as np

from smearlab.core.class_labels import natural_order
from smearlab.core.errors import UserError
from smearlab.datasets import arrays
from smearlab.datasets._fingerprint import file_fingerprint
from smearlab.datasets._raw import RawData, check_class_names, check_features, some
from smearlab.store.feature_tables import SUFFIXES, open_table
from smearlab.store.npz import npz_names, read_npz

FORM = "features"
MAX_CLASSES = 100_000
WHOLE = re.compile(r"([+-]?\d{1,18})(\.0*)?")  # pandas writes whole numbers of which some are unknown as 1.0


def load(
    *,
    path: str,
    labels_column: str = "labels",
    noisy_labels_column: str = "noisy_labels",
    split_column: str = "split",
    leave_out: list[str] = [],  # noqa: B006 (an option's default is read from the source)
) -> RawData:
    """Read features (N, D) with labels, noisy labels or both; `path` is relative to the working folder.

    In an .npz: `features`, numbers (N, D), beside `labels`, `noisy_labels`, `split` and `class_names` as in `arrays`.
    In a table: the columns of these names, or of those given here; all others but `leave_out` are features. Labels in
    a table are whole numbers 0..L-1, or names, whose classes stand in their natural order; an empty one is unknown.
    UserError names the file and what is wrong with it.
    """
    if not _is_table(path):
        return _from_npz(path)
    table, columns = open_table(path), (labels_column, noisy_labels_column, split_column)
    names = [name for name in table.columns if name not in (*columns, *leave_out)]
    if strange := [name for name in leave_out if name not in table.columns]:
        raise UserError(f"{path}: leave_out: there is no column {some(strange)}; it holds {some(table.columns, 10)}")
    if not names:
        raise UserError(f"{path}: has no column of features beside {some(table.columns, 10)}")
    features = table.numbers(names)
    check_features(features, path, names, table.first_row)
    labels, noisy, classes = _labels(path, columns[:2], file_fingerprint(path))
    split = table.texts(split_column) if split_column in table.columns else np.full(len(features), "")
    return RawData(features, labels, noisy, split, list(classes), source=path)


def class_names(*, path: str, **columns: Any) -> list[str]:
    """Return the names of the classes: those in the file, or its labels in their natural order."""
    if not _is_table(path):
        return arrays.class_names(path=path)
    return list(_labels(path, _label_columns(columns), file_fingerprint(path))[2])


def has_clean_labels(*, path: str, **columns: Any) -> bool:
    """Whether the file brings clean labels."""
    if not _is_table(path):
        return arrays.has_clean_labels(path=path)
    return _label_columns(columns)[0] in open_table(path).columns


def sizes(*, path: str, **columns: Any) -> tuple[int, int]:
    """Return the number of examples that the file does not call test, and of all."""
    if not _is_table(path):
        return arrays.sizes(path=path)
    table, split = open_table(path), columns.get("split_column", "split")
    clean, noisy, _ = _labels(path, _label_columns(columns), file_fingerprint(path))
    n = next(len(labels) for labels in (clean, noisy) if labels is not None)
    return int((table.texts(split) != "test").sum()) if split in table.columns else n, n


def count(**options: Any) -> int:
    """Return the number of examples that the file does not call test."""
    return sizes(**options)[0]


def fingerprint(*, path: str, **_: Any) -> str:
    """Return the SHA-256 of the file."""
    return file_fingerprint(path)


def _is_table(path: str) -> bool:
    if not path.endswith((".npz", *SUFFIXES)):
        raise UserError(f"{path}: features are read from .npz, {', '.join(SUFFIXES)}")
    return not path.endswith(".npz")


def _from_npz(path: str) -> RawData:
    found = read_npz(path, ["features"]).get("features")
    if found is None:
        raise UserError(f"{path}: has no features; it holds {some(npz_names(path), 10) or 'nothing'}")
    single = found.dtype in (np.float16, np.float32)
    numbers = found.astype(np.float32 if single else np.float64) if found.dtype.kind in "biuf" else found
    check_features(numbers, path)
    beside = arrays.beside(path, len(found), "features")
    return RawData(np.ascontiguousarray(numbers), **beside, source=path)


def _label_columns(columns: dict[str, Any]) -> tuple[str, str]:
    return columns.get("labels_column", "labels"), columns.get("noisy_labels_column", "noisy_labels")


Labels = tuple[np.ndarray | None, np.ndarray | None, tuple[str, ...]]


@cache
def _labels(path: str, columns: tuple[str, str], fingerprint: str) -> Labels:
    """Return clean labels, noisy labels, each int64 (N,) or None, and the names of the classes.

    fingerprint: of the file, so that another file at the same place is read anew.
    """
    table = open_table(path)
    texts = {name: table.texts(name) for name in columns if name in table.columns}
    if not texts:
        raise UserError(
            f"{path}: has no column {' or '.join(map(repr, columns))}; it holds {some(table.columns, 10)}: "
            "labels_column or noisy_labels_column says which one holds the labels"
        )
    distinct = {text for found in texts.values() for text in np.unique(found).tolist() if text}
    whole = all(WHOLE.fullmatch(text) for text in distinct)
    names = _numbered(path, distinct) if whole else check_class_names(natural_order(list(distinct)), path)
    index = {text: _whole(text) if whole else names.index(text) for text in distinct} | {"": -1}
    clean, noisy = (
        np.array([index[text] for text in texts[name].tolist()], dtype=np.int64) if name in texts else None
        for name in columns
    )
    return clean, noisy, tuple(names)


def _whole(text: str) -> int:
    return int(text.partition(".")[0])


def _numbered(path: str, texts: set[str]) -> list[str]:
    """Return the names of classes that are whole numbers: all from 0 to the largest."""
    largest = max(map(_whole, texts), default=-1)
    if largest > MAX_CLASSES:
        raise UserError(f"{path}: labels reach {largest}; are they classes? They count from 0")
    return check_class_names([str(c) for c in range(largest + 1)], path)
