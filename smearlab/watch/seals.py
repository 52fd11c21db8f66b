"""The seals of the small files of a grid, checked before Snakemake plans: to it a damaged file is a changed one.

It would remove what is made from a changed file before the job that refuses it starts. What was found whole is
remembered by size, times and inode, so that a large grid pays for looking at its files and not for reading them.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.grid.dag import Node
from smearlab.store.files import read_sealed, write_text
from smearlab.watch.readable import check_readable

VERIFIED = Path(".smearlab") / "verified.json"
Mark = list[int]


def check_seals(nodes: Iterable[Node], config: str) -> None:
    """Raise UserError with a line for each damaged file among the sealed ones that are there; nothing is removed.

    One that cannot be read is told first, alone: it is not known to be damaged. config: what to give to `repair`.
    """
    known, told, unread = found_whole(), list[str](), list[str]()
    marks: dict[str, Mark] = {}
    for path, mark in ((path, mark_of(path)) for path in sealed_files(nodes)):
        if mark is None or known.get(path) != mark:
            unread += _said(check_readable, path)
        if mark is not None and known.get(path) != mark and not unread:
            told += (found := _said(read_sealed, path))
            marks |= {} if found else {path: mark}
    if unread:
        raise UserError("\n".join(unread))
    if told:
        command = f"python -m smearlab repair {config}"
        raise UserError("\n".join([*told, f"nothing was run and nothing removed; this makes it anew: {command}"]))
    remember({**known, **marks}, known)


def _said(check: Callable[[str], object], path: str) -> list[str]:
    """Return what a check has against a file, as a list of one or no line."""
    try:
        check(path)
    except UserError as error:
        return [str(error)]
    return []


def sealed_files(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the files of jobs that hold their own checksum."""
    for node in nodes:
        yield from (path for path in node.outputs if path.endswith(".json"))


def mark_of(path: str) -> Mark | None:
    """Return by what a change of a file shows, without reading it; None where it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def found_whole() -> dict[str, Mark]:
    """Return what was found whole before; nothing where that cannot be read."""
    try:
        known = json.loads(VERIFIED.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def remember(now: dict[str, Mark], known: dict[str, Mark]) -> None:
    """Write down what was found whole; where that cannot be written, it is read again the next time."""
    if now != known:
        with suppress(OSError):
            write_text(VERIFIED, json.dumps(now))
