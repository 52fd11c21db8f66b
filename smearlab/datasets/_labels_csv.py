"""Noisy labels of image files from a table of paths and labels."""

import csv
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from smearlab.core.class_labels import WHOLE, class_indices, class_order, outside_hint
from smearlab.core.errors import UserError
from smearlab.datasets._raw import some
from smearlab.store.example_paths import match_paths
from smearlab.store.text_tables import delimiter_of

MAX_BYTES = 2**30


class Picture(NamedTuple):
    """One image file: its part, class, and name below the root with forward slashes."""

    part: str
    class_name: str
    name: str


def read_noisy_labels(
    path: str,
    columns: tuple[str, str],
    pictures: Sequence[Picture],
    stated: np.ndarray,
    class_names: Sequence[str],
    unused: Iterable[str] = (),
) -> np.ndarray:
    """Return a label per picture, int64 (N,), -1 for test pictures if the table speaks of none of them.

    columns: those of paths and of labels. stated: the classes of the folders, int (N,). unused: folders beside the
    pictures' that the table may speak of. UserError for pictures without a label, paths that are none, and labels
    that are no classes or can be read in two ways.
    """
    given = _by_name(path, _read(path, columns), pictures, unused)
    silent = not any(picture.part == "test" and picture.name in given for picture in pictures)
    missing = [p.name for p in pictures if p.name not in given and not (silent and p.part == "test")]
    if missing:
        raise UserError(f"{path}: {len(missing)} of {len(pictures)} images have no label: {some(missing)}")
    _check_known(path, given, class_names)
    told = np.array([picture.name in given for picture in pictures])
    texts = np.array([given[picture.name] for picture in pictures if picture.name in given], dtype=str)
    labels = np.full(len(pictures), -1, dtype=np.int64)
    labels[told] = class_indices(texts, class_names, path, stated[told])
    return labels


def _by_name(path: str, given: dict[str, str], pictures: Sequence[Picture], unused: Iterable[str]) -> dict[str, str]:
    """Return the labels by the names of the pictures, which the table may spell with more or fewer folders."""
    names = [picture.name for picture in pictures]
    strange = sorted(set(given) - set(names))
    if not strange:
        return given
    matched = match_paths(list(given), names, [p.name for p in pictures if p.part != "test"]) or [None]
    spelled = [name for name in matched if name is not None]
    if len(spelled) == len(given):
        return dict(zip(spelled, given.values(), strict=True))
    aside = next((folder for folder in unused if strange[0].startswith(f"{folder}/")), None)
    hint = f"; the folder {aside} is not used, test_folder: {aside} would" if aside else ""
    raise UserError(f"{path}: {len(strange)} paths are no images of the data set: {some(strange)}{hint}")


def _check_known(path: str, given: dict[str, str], class_names: Sequence[str]) -> None:
    known = {str(i) for i in range(len(class_names))} | set(class_names)
    wrong = {name: label for name, label in given.items() if label not in known}
    if not wrong:
        return
    labels = set(given.values())
    counted = all(WHOLE.fullmatch(label) for label in labels)
    hint = outside_hint([int(label) for label in labels], class_names) if counted else ""
    raise UserError(
        f"{path}: {len(wrong)} labels are neither a class nor its index (0 to {len(class_names) - 1}): "
        f"{some(f'{name}: {label}' for name, label in wrong.items())}{hint}; the classes are {class_order(class_names)}"
    )


def _read(path: str, columns: tuple[str, str]) -> dict[str, str]:
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise UserError(f"{path}: larger than {MAX_BYTES:,} bytes")
        with open(path, encoding="utf-8-sig", newline="") as file:
            delimiter = delimiter_of(file.readline())
            file.seek(0)
            rows = csv.DictReader(file, strict=True, delimiter=delimiter)
            names = list(rows.fieldnames or [])
            if not set(columns) <= set(names):
                raise UserError(
                    f"{path}: the first line must name the columns {','.join(columns)}; it holds {some(names, 10)}: "
                    "path_column and labels_column say which are meant"
                )
            pairs = [(row[columns[0]], row[columns[1]]) for row in rows]
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    return _unique(path, pairs)


def _unique(path: str, pairs: Iterable[tuple[str | None, str | None]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for line, (name, label) in enumerate(pairs, start=2):
        if not name or not label:
            raise UserError(f"{path}: row {line} lacks a path or a label")
        if name in given:
            raise UserError(f"{path}: {name!r} occurs twice, again in row {line}")
        given[name] = label
    return given
