"""Class labels as somebody else wrote them: names or indices, read in one way for a whole file or refused."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from smearlab.core.agreement import agreement
from smearlab.core.errors import UserError

WHOLE = re.compile(r"[+-]?\d{1,18}")
SHOWN = 12


def class_indices(
    values: np.ndarray, class_names: Sequence[str], where: str, clean: np.ndarray | None = None
) -> np.ndarray:
    """Return the class of each value, int64 (N,), from class names or indices, whole numbers or text (N,).

    One reading holds for all values. Where several are possible and differ, the plain one (names for texts, the
    index in the order of `class_names` for numbers) is taken if the clean labels (int (N,), -1 unknown) prove it.
    UserError, naming `where` and the readings, for any other case.
    """
    distinct, place = np.unique(values, return_inverse=True)
    texts = [str(value) for value in distinct.tolist()]
    found = {name: read[place] for name, read in _readings(texts, class_names, values.dtype.kind).items()}
    if not found:
        counts = np.bincount(place, minlength=len(texts)).tolist()
        raise UserError(f"{where}: {_unreadable(dict(zip(texts, counts, strict=True)), class_names)}")
    first, *others = found.values()
    if all((first == other).all() for other in others):
        return first
    partly_names = "class names" not in found and any(text in set(class_names) for text in texts)
    mixed = partly_names and values.dtype.kind not in "iu"  # texts of which some look like names are no indices
    if not mixed and clean is not None and _is_proven(first, others, clean):
        return first
    raise UserError(f"{where}: {_ambiguous(texts, class_names, found)}")


def _is_proven(first: np.ndarray, others: Sequence[np.ndarray], clean: np.ndarray) -> bool:
    """Whether a reading agrees with the clean labels, also where it differs from each other reading."""
    differing = [first != other for other in others if (first != other).any()]
    apart = [agreement(clean[where], first[where]) for where in differing]
    return agreement(clean, first).proves and all(found.n > 0 and 2 * found.same > found.n for found in apart)


def class_order(class_names: Sequence[str]) -> str:
    """Return which index is which class, for a message: 0 = cat, 1 = dog."""
    pairs = [f"{i} = {name}" for i, name in enumerate(class_names)]
    if len(pairs) <= SHOWN:
        return ", ".join(pairs)
    return ", ".join([*pairs[: SHOWN - 1], "…", pairs[-1]])


def natural_order(names: Sequence[str]) -> list[str]:
    """Return names with the numbers in them in the order of numbers: 1, 2, 10, not 1, 10, 2."""
    return sorted(names, key=_natural)


def sorts_as_text(names: Sequence[str]) -> bool:
    """Whether names stand in the order of texts and that is not the order of the numbers in them."""
    return list(names) == sorted(names) and natural_order(names) != list(names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]


def _readings(texts: list[str], class_names: Sequence[str], kind: str) -> dict[str, np.ndarray]:
    """Return the class of each text under every reading that fits all of them, the plain one first."""
    by_name = {name: i for i, name in enumerate(class_names)}
    tables: dict[str, Mapping[str, int]] = {"class names": by_name}
    whole = [int(text) if WHOLE.fullmatch(text) else -1 for text in texts]
    if all(0 <= number < len(class_names) for number in whole):
        tables["indices"] = dict(zip(texts, whole, strict=True))
        if sorts_as_text(class_names):
            numbered = natural_order(class_names)
            tables["indices in the order of numbers"] = {
                text: by_name[numbered[i]] for text, i in zip(texts, whole, strict=True)
            }
    if kind in "iu" and "indices" in tables:
        tables = {"indices": tables["indices"], **tables}
    return {
        name: np.array([table[text] for text in texts], dtype=np.int64)
        for name, table in tables.items()
        if all(text in table for text in texts)
    }


def _ambiguous(texts: list[str], class_names: Sequence[str], found: Mapping[str, np.ndarray]) -> str:
    readings = list(found)
    text = next(t for t in texts if len({_class_of(t, r, class_names) for r in readings}) > 1)
    said = [f"as {reading} ({text!r} is class {_class_of(text, reading, class_names)!r})" for reading in readings]
    names = set(class_names)
    if "class names" not in found and any(t in names for t in texts):
        strange = next(t for t in texts if t not in names)
        said.insert(0, f"as class names (all but such as {strange!r})")
    return (
        f"labels can be read {' or '.join(said)}; the classes are {class_order(class_names)}: "
        "use class names that are no numbers, or names of equal length such as 01, 02, … 12"
    )


def _class_of(text: str, reading: str, class_names: Sequence[str]) -> str:
    if reading == "class names":
        return text
    order = natural_order(class_names) if reading.endswith("numbers") else class_names
    return order[int(text)]


def _unreadable(counts: Mapping[str, int], class_names: Sequence[str]) -> str:
    last = len(class_names) - 1
    names = [text for text in counts if text in set(class_names)]
    numbers = [text for text in counts if WHOLE.fullmatch(text)]
    indices = [text for text in numbers if 0 <= int(text) <= last]
    if names and indices and set(names) | set(indices) == set(counts):
        only = next(text for text in indices if text not in names)
        odd = next(text for text in names if text not in indices)
        return (
            f"labels are mixed: {odd!r} can only be a class name and {only!r} only an index; "
            f"one reading must hold for all: names, or indices 0 to {last} ({class_order(class_names)})"
        )
    if len(numbers) == len(counts):
        outside = sum(count for text, count in counts.items() if not 0 <= int(text) <= last)
        return f"{outside} labels outside 0..{last}{outside_hint([int(t) for t in numbers], class_names)}"
    known = set(names) | set(indices)
    strange = {text: count for text, count in counts.items() if text not in known}
    shown = ", ".join(repr(text) for text in list(strange)[:3])
    return (
        f"{sum(strange.values())} labels are neither a class nor its index (0 to {last}): {shown}; "
        f"the classes are {class_order(class_names)}"
    )


def outside_hint(numbers: Sequence[int], class_names: Sequence[str]) -> str:
    """Return what whole numbers outside 0…L-1 look like, as the tail of a message."""
    last = len(class_names) - 1
    named = list(class_names) != [str(i) for i in range(last + 1)]  # names that say more than the index does
    if named and any(str(number) in class_names for number in numbers):
        return f": some are class names and some are not; the classes are {class_order(class_names)}"
    if min(numbers) < 0:
        return f": there is a {min(numbers)}; every example needs a label"
    if min(numbers) == 1 and max(numbers) == last + 1:
        return f": they count from 1 to {last + 1}, and classes count from 0: subtract 1"
    return f": they reach {max(numbers)}; are they of a finer set of classes than the {last + 1} of the data?"
