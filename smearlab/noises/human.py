"""Human labels from a file: CIFAR-10N, CIFAR-100N (Wei et al. 2022) or one's own; nothing is drawn.

CIFAR-N columns: aggre_label, random_label1, random_label2, random_label3, worse_label; CIFAR-100N: noisy_label.
The files are not shipped with smearlab (CC BY-NC 4.0).
"""

import numpy as np

from smearlab.core.errors import UserError
from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._label_columns import read_columns

DRAWS = False
RATED = False
CLEAN_COLUMN = "clean_label"


def observe(
    context: NoiseContext,
    rng: np.random.Generator,
    *,
    rate: float | None = None,
    path: str,
    column: str | None = None,
) -> Observed:
    """Return one column of a label file (.pt, .npz, .npy, .csv), one row per example in the source's order.

    Raises UserError if the file is unreadable or too short, the column is absent or holds anything but
    0..L-1, or the clean labels in the file (column clean_label) are not those of the data.
    """
    columns = read_columns(path)
    clean = columns.pop(CLEAN_COLUMN, None)
    if column is None and len(columns) == 1:
        column = next(iter(columns))
    if column not in columns:
        raise UserError(f"noise 'human': {path}: no column {column!r}; it has {', '.join(columns) or 'none'}")
    _check_alignment(context, clean, path)
    return Observed(_aligned(context, columns[column], f"noise 'human': {path}: {column}"))


def _aligned(context: NoiseContext, values: np.ndarray, where: str) -> np.ndarray:
    if len(values) <= context.source_index.max():
        raise UserError(f"{where}: {len(values)} labels; the data has {context.source_index.max() + 1} examples")
    labels = values[context.source_index].astype(np.int64)
    outside = (labels < 0) | (labels >= context.n_classes)
    if outside.any():
        raise UserError(f"{where}: {int(outside.sum())} labels outside 0..{context.n_classes - 1}")
    return labels


def _check_alignment(context: NoiseContext, clean: np.ndarray | None, path: str) -> None:
    if clean is None:
        return
    theirs = _aligned(context, clean, f"noise 'human': {path}: {CLEAN_COLUMN}")
    differ = int(((context.labels >= 0) & (context.labels != theirs)).sum())
    if differ:
        raise UserError(
            f"noise 'human': {path}: its clean labels differ from those of the data in {differ} of "
            f"{len(theirs)} examples; the file belongs to other data or another order"
        )
