"""The names of image files as somebody else wrote them, matched to the names below a data set's folder."""

from collections.abc import Iterable, Sequence


def match_paths(given: Sequence[str], names: Sequence[str], needed: Iterable[str]) -> list[str | None] | None:
    """Return for each given path the name it stands for, None for one of no example.

    One reading holds for all: the whole path below the folder, or its last three, two or one parts, in the first
    of these in which every needed name is given exactly once and stands for one example only. None where no
    reading does that.
    """
    wanted = set(needed)
    plain = [path.replace("\\", "/").removeprefix("./") for path in given]
    for parts in (None, 3, 2, 1):
        by_end = _unique_ends(names, parts)
        matched = [by_end.get(_end(path, parts)) for path in plain]
        known = [name for name in matched if name is not None]
        if len(set(known)) == len(known) and wanted <= set(known):
            return matched
    return None


def match_each(given: Sequence[str], names: Sequence[str]) -> list[str | None]:
    """Return for each given path the name it stands for, None for one of no example or of several.

    The reading is the first of those of `match_paths` in which most are found.
    """
    plain = [path.replace("\\", "/").removeprefix("./") for path in given]
    readings = []
    for parts in (None, 3, 2, 1):
        by_end = _unique_ends(names, parts)
        readings.append([by_end.get(_end(path, parts)) for path in plain])
    return max(readings, key=lambda matched: sum(name is not None for name in matched))


def _unique_ends(names: Sequence[str], parts: int | None) -> dict[str, str]:
    """Return the name that ends in each end, where only one does."""
    found: dict[str, str | None] = {}
    for name in names:
        end = _end(name, parts)
        found[end] = None if end in found else name
    return {end: name for end, name in found.items() if name is not None}


def _end(path: str, parts: int | None) -> str:
    return path if parts is None else "/".join(path.rsplit("/", parts)[-parts:])
