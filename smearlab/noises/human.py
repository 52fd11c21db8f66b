"""Human labels from a file: CIFAR-10N, CIFAR-100N (Wei et al. 2022) or one's own; nothing is drawn.

CIFAR-N columns: aggre_label, random_label1, random_label2, random_label3, worse_label; CIFAR-100N: noisy_label,
noisy_coarse_label. The files are not shipped with smearlab (CC BY-NC 4.0).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from smearlab.core.agreement import proves_order
from smearlab.core.class_labels import SHOWN, WHOLE, class_indices, class_order
from smearlab.core.errors import UserError
from smearlab.noises._alignment import align, key_columns
from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._label_columns import LabelFile, read_label_file

DRAWS = False
RATED = False
GIVEN = "labels"
ALIGNS = True
LATER = {"path_column": None}
CLEAN_COLUMNS = ("clean_label", "clean_coarse_label")


def observe(
    context: NoiseContext,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    path: str,
    column: str | None = None,
    path_column: str | None = None,
) -> Observed:
    """Return one column of a label file (.pt, .npz, .npy, .csv, .tsv, .txt, .json), of class indices or names.

    Rows are aligned by `path_column`, or by any column that names the examples (`index`: places in the data set's
    own order from 0; paths below the folder), else they stand in that order. Raises UserError if the file is
    unreadable or cannot be aligned, the column is absent or holds no classes, or the clean labels in the file
    (clean_label) are not those of the data.
    """
    where = f"noise 'human': {path}"
    file = read_label_file(path)
    found, faults = [], []
    for reading in (file, file.headless):
        try:
            found += [] if reading is None else [_read(reading, context, where, column, path_column)]
        except UserError as error:
            faults.append(error)
    if not found:
        raise faults[0]
    read = _only(found, context, where)
    return Observed(read.labels, doubts=read.doubts)


class _Read(NamedTuple):
    """Labels of the examples (N,), whether the file has as many rows as they need, and what is in doubt."""

    labels: np.ndarray
    fits: bool
    doubts: tuple[str, ...] = ()


def _only(found: list[_Read], context: NoiseContext, where: str) -> _Read:
    """Choose the reading with or without a header by its number of rows, else by the clean labels."""
    first, *others = found
    if all((first.labels == other.labels).all() for other in others):
        return first
    for chosen in ([read for read in found if read.fits], [r for r in found if _prove_order(context, r.labels)]):
        if len(chosen) == 1:
            return chosen[0]
    raise UserError(
        f"{where}: the first line can be read as a header or as a row; give it a header of words, such as `label`"
    )


def _prove_order(context: NoiseContext, labels: np.ndarray) -> bool:
    order = np.argsort(context.source_index, kind="stable")
    return proves_order(context.labels[order], labels[order])


def _read(file: LabelFile, context: NoiseContext, where: str, column: str | None, path_column: str | None) -> _Read:
    name = _chosen(file, context, where, column, path_column)
    values, place = file.columns[name], f"{where}: {name}"
    beside = {n: v for n, v in file.columns.items() if n not in (name, *CLEAN_COLUMNS) and len(v) == len(values)}
    alignment = align(beside, context, place, len(values), path_column)
    labels = class_indices(values[alignment.rows], context.class_names, place, context.labels)
    clean = _clean(file, context, alignment.rows, where, name)
    if alignment.unproven is not None and not _prove_order(context, labels if clean is None else clean):
        raise UserError(f"{alignment.unproven}; that the rows are in its order is not proven by clean labels either")
    sizes = context.sizes or (int(context.source_index.max()) + 1,)
    return _Read(labels, len(values) in sizes, alignment.doubts)


def _chosen(file: LabelFile, context: NoiseContext, where: str, column: str | None, path_column: str | None) -> str:
    labelled = {name: values for name, values in file.columns.items() if name not in CLEAN_COLUMNS}
    if column is not None and column in labelled:
        if column in file.shares and len(file.shares) > 2:
            raise UserError(f"{where}: {_one_hot(file.shares)}")
        return column
    keys = {path_column, *key_columns(file.columns, context.n_classes)}
    indices = {name: _plainly(v, context.class_names) for name, v in labelled.items() if name not in keys}
    fitting = {name: found for name, found in indices.items() if found is not None}
    numbers = [name for name in fitting if labelled[name].dtype.kind == "i"]
    if column is None and len(set(fitting.values())) == 1 and (len(fitting) == 1 or len(numbers) == 1):
        return (numbers or list(fitting))[0]  # names beside numbers that say the same are no second column
    if column is None and file.shares:
        raise UserError(f"{where}: {_one_hot(file.shares)}")
    known = _shown(fitting if column is None else labelled) or "none"
    strange = {} if fitting else {name: _stranger(labelled[name], context.class_names) for name in indices}
    reasons = [f"; {name!r} {fault}" for name, fault in [*file.unread.items(), *strange.items()][:3]]
    raise UserError(f"{where}: no column {column!r}; it has {known}{''.join(reasons)}")


def _shown(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names if len(names) <= SHOWN else [*names[: SHOWN - 1], "…", names[-1]])


def _one_hot(shares: Sequence[str]) -> str:
    return (
        f"the columns {_shown(shares)} sum to 1 in each row, as one-hot labels or probabilities do: give one column of "
        "labels, .argmax(axis=1) of these"
    )


def _plainly(values: np.ndarray, class_names: Sequence[str]) -> bytes | None:
    """Return the labels as bytes to compare columns by; None for texts that are neither a class nor a number."""
    if values.dtype.kind == "i":
        return values.tobytes()
    distinct, place = np.unique(values, return_inverse=True)
    index = {name: i for i, name in enumerate(class_names)}
    known = [index.get(t, int(t) if WHOLE.fullmatch(t) else -1) for t in distinct.tolist()]
    return None if min(known) < 0 else np.array(known, dtype=np.int64)[place].tobytes()


def _stranger(values: np.ndarray, class_names: Sequence[str]) -> str:
    odd = next(t for t in values.tolist() if t not in class_names)
    return f"holds {odd!r}, which is none of the classes {class_order(class_names)}"


def _clean(file: LabelFile, context: NoiseContext, rows: np.ndarray, where: str, name: str) -> np.ndarray | None:
    """Return the clean labels in the file, of the same set of classes as column `name`; UserError where they differ."""
    own = CLEAN_COLUMNS[1] if "coarse" in name else CLEAN_COLUMNS[0]
    if own not in file.columns:
        return None
    if len(file.columns[own]) <= rows.max():
        raise UserError(f"{where}: {own} has {len(file.columns[own])} rows and {name} has more")
    theirs = class_indices(file.columns[own][rows], context.class_names, f"{where}: {own}", context.labels)
    differ = int(((context.labels >= 0) & (context.labels != theirs)).sum())
    if differ:
        raise UserError(
            f"{where}: its clean labels differ from those of the data in {differ} of "
            f"{len(theirs)} examples; the file belongs to other data or another order"
        )
    return theirs
