"""The way over from earlier releases: results stand whose numbers today's code was shown to give, bit for bit.

release_0_2_0.json holds the digest of each stage and entry of that release, and of the code that was shown to give the
same (tests/workflow/test_release_0_2_0.py): as long as that is the code, its digest stays the one of 0.2.0.

The digests of 0.1.0 took in whole modules by their places.

release_0_1_0.json holds, of that release, the fingerprint and the imports of each module behind data sets, labels,
estimates, trainings and evaluations; and, of the stages and entries that were shown to give its numbers bit for bit
(tests/workflow/test_release_0_1_0.py), the digest of the code that was shown to do so. As long as all that a job
reaches is that code, its digest is the one that 0.1.0 would have given, and results of 0.1.0 are what the job asks for.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("release_0_1_0.json")
RECORD_0_2_0 = Path(__file__).with_name("release_0_2_0.json")


def digest_of(stage: str, entries: Iterable[str], now: Callable[[str], str], versions: Mapping[str, str]) -> str | None:
    """Return the digest that 0.1.0 gives a job, or None where other code than was shown to be equal makes it now.

    now: from a stage's or entry's module to its digest. versions: the locked version of each library.
    """
    record = _record()
    same: dict[str, str] = record["same"]
    roots = [f"smearlab.stages.{stage}", *entries]
    if any(root not in same or same[root] != now(root) for root in roots):
        return None
    starts = [record["scripts"][stage], *(path_then(entry) for entry in entries)]
    parts = dict(_parts(record["modules"], starts, versions))
    return hashlib.sha256(repr(tuple(sorted(parts.items()))).encode()).hexdigest()[:12]


def standing(root: str, now: str) -> str:
    """Return the digest of 0.2.0 for a stage or entry whose digest `now` is of code with the same numbers, or `now`."""
    record = _record_0_2_0()
    return record["then"].get(root, now) if record["same"].get(root) == now else now


def path_then(entry: str) -> str:
    """Return the file in which 0.1.0 had what is an entry now."""
    return _record()["moved"].get(entry, f"{entry.replace('.', '/')}.py")


def _parts(modules: Mapping[str, Any], starts: list[str], versions: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    waiting, seen = list(starts), set(starts)
    for path in waiting:
        yield path, modules[path]["fingerprint"]
        yield from ((library, versions[library]) for library in modules[path]["libraries"])
        fresh = [other for other in modules[path]["imports"] if other not in seen]
        seen.update(fresh)
        waiting += fresh


@cache
def _record() -> dict[str, Any]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


@cache
def _record_0_2_0() -> dict[str, dict[str, str]]:
    return json.loads(RECORD_0_2_0.read_text(encoding="utf-8"))
