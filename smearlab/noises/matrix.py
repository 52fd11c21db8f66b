"""Noise of any transition matrix, read from a file; T[true, observed], rows summing to 1."""

from collections.abc import Sequence

import numpy as np

from smearlab.core.class_labels import class_order
from smearlab.core.errors import UserError
from smearlab.core.transition import check_transition
from smearlab.store.matrix_file import read_matrix

RATED = False
GIVEN = "transition"
ROUNDED = 5e-4  # what rounding to three decimals adds to a sum at most, for each number in it


def transition(
    n_classes: int, class_names: Sequence[str] | None = None, *, rate: float | None = None, path: str
) -> np.ndarray:
    """Return T, (L, L), from a .npy, .npz, .csv, .tsv, .txt (L lines of L numbers) or .json (a list of rows) file.

    A table may have a first line and a first column of class names (or of 0 to L-1), a .json may map class to class
    to number, a .json or .npz may hold `transition` and `class_names`. Raises UserError for a file that cannot be
    read, whose classes are not those of the data in their order, or whose content is no transition matrix of L
    classes, and says what it looks like instead.
    """
    where = f"noise 'matrix': {path}"
    found = read_matrix(path, "noise 'matrix'")
    names = [str(i) for i in range(n_classes)] if class_names is None else list(class_names)
    for side, given in (("rows", found.true), ("columns", found.observed)):
        _check_names(given, names, f"{where}: {side}")
    _check_kind(found.rows, where, n_classes)
    return check_transition(found.rows, where, n_classes)


def _check_names(given: Sequence[str] | None, names: Sequence[str], where: str) -> None:
    numbered = [str(i) for i in range(len(names))]
    if given is None or list(given) == list(names) or (list(given) == numbered and not set(given) & set(names)):
        return
    same = sorted(given) == sorted(names)
    raise UserError(
        f"{where} are of the classes {class_order(list(given))}; the data's are {class_order(names)}"
        f"{': the same in another order, bring them into this one' if same else ''}"
    )


def _check_kind(rows: object, where: str, n_classes: int) -> None:
    """Refuse what is no transition matrix but looks like something that becomes one."""
    try:
        matrix = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError):
        return  # said by check_transition
    hint = _looks_like(matrix, n_classes)
    if hint is not None:
        raise UserError(f"{where}: {hint}")


def _looks_like(matrix: np.ndarray, n_classes: int) -> str | None:
    if matrix.shape in ((n_classes, n_classes + 1), (n_classes + 1, n_classes)):
        return (
            f"{matrix.shape[0]} rows of {matrix.shape[1]} numbers: is the first line or column an index? Leave it out"
        )
    if matrix.shape != (n_classes, n_classes) or not np.isfinite(matrix).all() or (matrix < 0).any():
        return None
    sums, columns = matrix.sum(axis=1), matrix.sum(axis=0)
    if np.abs(sums - 1.0).max() <= 1e-6:
        return None
    told = f"rows sum to {sums.min():.6g} to {sums.max():.6g}, not to 1"
    if np.abs(columns - 1.0).max() <= 1e-6:
        return f"{told}, but its columns do: it is transposed; needed is T[true, observed], so save T.T"
    if (matrix == matrix.round()).all() and sums.min() > 0 and sums.max() > 1:
        return f"{told}: it holds counts (or whole per cent); divide each row by its sum"
    if np.abs(sums - 100.0).max() <= 100 * ROUNDED * n_classes:
        return f"{told}: it holds per cent; divide by 100"
    if np.abs(sums - 1.0).max() <= ROUNDED * n_classes:
        return (
            f"{told}: it is rounded; write more decimals, or divide each row by its sum (T / T.sum(1, keepdims=True))"
        )
    if np.abs(columns - 1.0).max() <= ROUNDED * n_classes:
        return f"{told}, but its columns do when rounded: it is transposed; needed is T[true, observed], so save T.T"
    return None
