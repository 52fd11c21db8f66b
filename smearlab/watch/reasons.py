"""Why a job of a grid would run, as facts: which values and which code differ, and what lies in its place instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.grid.cells import RESULTS
from smearlab.grid.dag import Node
from smearlab.grid.jobs import parts_of_code
from smearlab.watch import codebook
from smearlab.watch.forms import NAMED, WILDCARDS, form_of
from smearlab.watch.rebuild import Reasons, Rebuild
from smearlab.watch.records import noted_params

ABSENT: Any = object()  # stands for a value where there is none
MAKERS = {"dataset": "make_dataset", "noise": "make_labels"}  # of the parts of a block's place that others decide


@dataclass(frozen=True)
class Change:
    """One value of nested settings that is not what it was; ABSENT where it was not there, or is no more."""

    place: str
    before: Any
    now: Any


def changes(before: Any, now: Any) -> list[Change]:
    """Return all values in which two nested dictionaries differ."""
    old, new = flat(before), flat(now)
    found = (Change(place, old.get(place, ABSENT), new.get(place, ABSENT)) for place in dict.fromkeys([*old, *new]))
    return [change for change in found if change.before != change.now]


def flat(value: Any, place: str = "") -> dict[str, Any]:
    """Return the values of nested dictionaries by their place, `a.b`."""
    if not isinstance(value, dict) or not value:
        return {place: value}
    return {
        key: leaf
        for name, inner in value.items()
        for key, leaf in flat(inner, f"{place}.{name}" if place else str(name)).items()
    }


@dataclass(frozen=True)
class OtherCode:
    """How the code of a result differs from today's: in these files and libraries, as far as that was noted.

    by_0_1_0: 0.1.0 made it, which noted its code in parts of another kind.
    """

    parts: tuple[str, ...] = ()
    by_0_1_0: bool = False


def other_code(node: Node, before: str, now: str) -> OtherCode | None:
    """Return how two digests of a job's code differ; None where they are one."""
    if before == now:
        return None
    known = codebook.recall(before, Path(node.outputs[-1]) if node.trains else None)
    if codebook.is_of_0_1_0(known):
        return OtherCode(by_0_1_0=True)
    return OtherCode(tuple(codebook.changes(known, parts_of_code()[now]))) if known else OtherCode()


def changed_parameters(node: Node, reasons: Reasons) -> tuple[OtherCode | None, list[Change]]:
    """Return how the code and the other parameters of a job differ from those noted of its outputs."""
    if reasons.before is None or reasons.now is None:
        return None, []
    before, now = ({k: v for k, v in job.items() if k != "code"} for job in (reasons.before, reasons.now))
    codes = [str(job.get("code")) for job in (reasons.before, reasons.now)]
    return other_code(node, *codes), changes(before, now)


@dataclass(frozen=True)
class Sibling:
    """Results that differ from a job's in one part of their place alone: `other` stands there for `part`."""

    part: str
    other: str
    changes: list[Change]


def sibling(rebuild: Rebuild, node: Node) -> Sibling | None:
    """Return the newest results that differ from a training's in one hash of its place; None where there are none."""
    found = list(_siblings(node)) if node.trains else []
    if not found:
        return None
    _, wildcard, part, other = max(found)
    ours = _maker(rebuild, node, MAKERS[wildcard]) if wildcard in MAKERS else node
    theirs = noted_params(rebuild.records.of(ours.outputs[-1].replace(part, other)) or {})
    key = "contents" if wildcard in MAKERS else wildcard
    return Sibling(part, other, changes(theirs[key], ours.decide().get(key))) if key in theirs else None


def _siblings(node: Node) -> Iterator[tuple[float, str, str, str]]:
    """Yield of all of them the time, the wildcard in which they differ, what it stands for here, and there."""
    account = node.outputs[-1]
    form = form_of(RESULTS, account.removeprefix(f"{RESULTS}/"))
    for wildcard, part in form[1].items() if form else ():
        if NAMED in WILDCARDS.get(wildcard, "") and "-" in part:
            folder = account.partition(f"/{part}/")[0]
            for other in _alike(Path(folder), part):
                path = Path(account.replace(f"/{part}/", f"/{other}/"))
                if path.is_file():
                    yield path.stat().st_mtime, wildcard, part, other


def _alike(folder: Path, part: str) -> list[str]:
    """Return what else in a folder has the same name with another hash."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
    return [name for name in names if name != part and name.rpartition("-")[0] == part.rpartition("-")[0]]


def _maker(rebuild: Rebuild, node: Node, rule: str) -> Node:
    """Return the job of a rule before a training: the one that made its data set, or its first labels."""
    return next(maker for maker in rebuild.makers(node) if maker.rule == rule)
