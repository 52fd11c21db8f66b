"""What speaks against given labels being those of these examples: sentences for the terminal, the audit and the page.

Labels that somebody gives are held against the clean ones. Right labels in another order, of another class order
or of another set of classes look like extreme noise, and each of these leaves a trace of its own in the table of
(clean, given) pairs.
"""

from collections.abc import Sequence

import numpy as np

from smearlab.core.agreement import Agreement, agreement
from smearlab.core.class_labels import natural_order, sorts_as_text
from smearlab.core.transition import counts

ENOUGH = 100  # examples from which an agreement no better than chance says something
PER_CLASS = 10  # examples per class from which classes that never occur say something


def label_doubts(true: np.ndarray, given: np.ndarray, class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the doubts about given labels int (N,), in the data set's own order, beside clean ones; -1 is unknown."""
    found = agreement(true, given)
    pairs = counts(true, given, len(class_names))
    if 2 * found.same < found.n or (found.n >= ENOUGH and not found.beyond_chance):
        cause = _cause(true, given, pairs, class_names, found)
        return (f"{_differ(found)}; {cause}",)
    moved = _moved(pairs)
    if moved is not None:
        return (f"{_differ(found)}, some classes nearly always; {_permuted(moved, class_names)}",)
    return _absent_classes(given, class_names) if found.n == 0 else ()


def transition_doubts(true: np.ndarray, drawn: np.ndarray, class_names: Sequence[str]) -> tuple[str, ...]:
    """Return the doubts about a given T by the labels drawn from it: high noise alone is none, as it was asked for."""
    found, moved = agreement(true, drawn), _renamed(counts(true, drawn, len(class_names)))
    if moved is None or 2 * found.same > found.n or found.n < PER_CLASS * len(class_names):
        return ()
    return (f"{_differ(found)}; {_permuted(moved, class_names)}",)


def _differ(found: Agreement) -> str:
    wrong = found.n - found.same
    return f"{wrong:,} of {found.n:,} labels ({wrong / found.n:.1%}) differ from the clean ones"


def _cause(true: np.ndarray, given: np.ndarray, pairs: np.ndarray, class_names: Sequence[str], found: Agreement) -> str:
    moved = _renamed(pairs)
    if moved is not None:
        return _permuted(moved, class_names)
    shift = _row_shift(true, given)
    if shift:
        return f"likely cause: the rows are shifted by {abs(shift)}, as a header or a missing line does"
    merged = _merged(pairs)
    if merged:
        return f"likely cause: they are of a coarser set of classes ({merged} of {len(class_names)} classes occur)"
    if not found.beyond_chance:
        same = (pairs.sum(axis=0) == pairs.sum(axis=1)).all()
        counted = ", and each class has as many given as clean labels" if same else ""
        return f"they agree no more than by chance{counted}; likely cause: the rows are in another order than the data"
    return "no likely cause was found: look at the class order and at the order of the rows"


def _moved(pairs: np.ndarray) -> dict[int, int] | None:
    """Return the class that most examples of each class are given, where that moves classes one to one, else None.

    Classes without examples are left out; a class counts as moved only where more than half of its examples are
    given one other class.
    """
    most, largest, totals = pairs.argmax(axis=1), pairs.max(axis=1), pairs.sum(axis=1)
    return _one_to_one({i: int(most[i]) if 2 * largest[i] > totals[i] else i for i in np.flatnonzero(totals).tolist()})


def _renamed(pairs: np.ndarray) -> dict[int, int] | None:
    """Return the same where it explains more than half of all examples, be a class's own share above half or not."""
    moved = _one_to_one({i: int(pairs[i].argmax()) for i in np.flatnonzero(pairs.sum(axis=1)).tolist()})
    explained = sum(pairs[true, given] for true, given in moved.items()) if moved else 0
    return moved if 2 * explained > pairs.sum() else _moved(pairs)


def _one_to_one(target: dict[int, int]) -> dict[int, int] | None:
    distinct = len(set(target.values())) == len(target)
    return target if distinct and any(true != given for true, given in target.items()) else None


def _permuted(moved: dict[int, int], class_names: Sequence[str]) -> str:
    cause = "likely cause: the classes are numbered in another order"
    steps = {given - true for true, given in moved.items()}
    if steps in ({1}, {-1}):
        cause = f"likely cause: they count the classes off by one ({steps.pop():+d})"
    elif sorts_as_text(class_names) and _is_natural(moved, class_names):
        cause = "likely cause: they number the classes as numbers sort, and the data's classes sort as text (1, 10, 2)"
    away = [(true, given) for true, given in moved.items() if true != given]
    shown = "; ".join(f"{class_names[true]!r} is given as {class_names[given]!r}" for true, given in away[:3])
    return f"{cause} ({shown})"


def _is_natural(moved: dict[int, int], class_names: Sequence[str]) -> bool:
    """Whether class i is given as the place that its name has among the names in the order of numbers."""
    order = natural_order(class_names)
    return all(order[given] == class_names[true] for true, given in moved.items())


def _merged(pairs: np.ndarray) -> int:
    """Return how many classes occur where several classes each are nearly always given one and the same; else 0."""
    totals, occur = pairs.sum(axis=1), int((pairs.sum(axis=0) > 0).sum())
    clear = 2 * pairs.max(axis=1) > totals
    return occur if clear[totals > 0].all() and 2 * occur <= len(pairs) else 0


def _row_shift(true: np.ndarray, given: np.ndarray) -> int:
    """Return the shift of the rows, 1 or -1, under which most labels agree; 0 where there is none."""
    for shift in (1, -1):
        if agreement(true[max(0, -shift) : len(true) - max(0, shift)], given[max(0, shift) :][: len(true) - 1]).proves:
            return shift
    return 0


def _absent_classes(given: np.ndarray, class_names: Sequence[str]) -> tuple[str, ...]:
    size, occur = len(class_names), len(np.unique(given))
    if 2 * occur > size or len(given) < PER_CLASS * size:
        return ()
    return (f"only {occur} of {size} classes occur among {len(given):,} labels; are they of a coarser set of classes?",)
