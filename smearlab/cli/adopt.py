"""Results that came from elsewhere, without file times or without Snakemake's notes: checked, and taken as made here.

Every hash in the files is checked, and what they say of the code and the settings that made them. What fits gets one
time and Snakemake's notes, so that nothing of it runs again before something changes. What does not fit is named, and
noted as such, so that the next run makes it anew.
"""

import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.watch.codebook import remember
from smearlab.watch.leftovers import refuse_if_alive
from smearlab.watch.reasons import other_code
from smearlab.watch.rebuild import Disk
from smearlab.watch.records import KNOWN_FORMAT, PLACE, REFUSED, Records, noted_params, params_text
from smearlab.watch.sound import accounts, check_origin, check_whole, differing
from smearlab.watch.words import number, numbers

SAME_TIME = 0.01  # seconds between a file's time and the one in its note


@dataclass(frozen=True)
class Refusal:
    """Why the outputs of a job are not taken, and the parameters under which they are noted."""

    text: str
    params: dict[str, Any]
    damage: bool = False


@dataclass
class Adoption:
    """What becomes of each job of a grid.

    adopted: with whether its files say by which code. absent: nothing is there. following: made from what is refused
    or absent, and made again after it. unchecked: outputs that are not there, so that no hash could be compared.
    """

    adopted: dict[Node, bool] = field(default_factory=dict)
    refused: dict[Node, Refusal] = field(default_factory=dict)
    absent: list[Node] = field(default_factory=list)
    following: list[Node] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def damaged(self) -> int:
        """How many jobs left files that are damaged."""
        return sum(refusal.damage for refusal in self.refused.values())


class UnfitError(Exception):
    """A job's outputs are whole, and are not what the grid asks for; params: as which they are noted."""

    def __init__(self, text: str, params: dict[str, Any]) -> None:
        super().__init__(text)
        self.params = params


def adopt(grid: Grid) -> Adoption:
    """Check the results of a grid, and let Snakemake see as up to date what fits.

    All of its files get the earliest of their times, so that none is older than what it is made from, and none becomes
    newer to another grid that reads it. UserError while a run is alive in this folder; nothing is written then.
    """
    refuse_if_alive("nothing is adopted")
    found = _Sifting(grid).adoption
    for folder in ("metadata", "incomplete"):
        Path(PLACE, folder).mkdir(parents=True, exist_ok=True)
    book, disk = Records(), Disk()
    for node, refusal in found.refused.items():
        _note(node, refusal.params, book, disk)
    paths = [path for node in found.adopted for path in (*node.outputs, node.benchmark) if path and disk.has(path)]
    moment = min((os.stat(path).st_mtime_ns for path in paths), default=0)
    for node in found.adopted:  # the notes first: with new times alone a file would be kept for ever in silence
        _note(node, node.decide(), book, disk, moment / 1e9)
    for path in paths:
        os.utime(path, ns=(moment, moment))
    remember()
    return found


class _Sifting:
    """The jobs of a grid in their order, each judged after those whose files it reads."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.records, self.disk = grid, Records(), Disk()
        self.adoption = Adoption()
        self.nodes = [node for node in nodes_of(grid) if node.rule != "all"]
        self.maker = {path: node for node in self.nodes for path in node.outputs}
        for node in self.nodes:
            self._sift(node)

    def _sift(self, node: Node) -> None:
        to = self.adoption
        if not any(map(self.disk.has, node.outputs)):
            to.absent.append(node)
            return
        try:
            says_code = self._judge(node)
        except UserError as error:
            to.refused[node] = Refusal(str(error), {**node.decide(), REFUSED: str(error)}, damage=True)
        except UnfitError as error:
            to.refused[node] = Refusal(str(error), error.params)
        else:
            if self._follows(node):
                to.following.append(node)
                return
            to.adopted[node] = says_code
            to.unchecked += [path for path in self.disk.missing(node.outputs) if path not in node.transient]

    def _judge(self, node: Node) -> bool:
        """Return whether outputs say by which code; UserError if they are damaged, UnfitError if they do not fit."""
        if any(self.records.begun(path) is not None and self.disk.has(path) for path in node.outputs):
            raise _unfit(node, f"{node.outputs[-1]}: its last run began and did not end")
        if lost := self.disk.missing(accounts(node)):
            raise _unfit(node, f"{lost[0]}: is not there, so what is there of the others cannot be checked")
        said = check_whole(node)
        if self._follows(node):
            return True
        if lost := self.disk.missing(node.inputs):
            raise _unfit(node, f"{node.outputs[-1]}: made from {lost[0]}, which is not there")
        self._check_params(node, said)
        try:
            check_origin(node, self.grid)
        except UserError as error:
            raise _unfit(node, str(error)) from None
        return "code" in said or "code_version" in said

    def _follows(self, node: Node) -> bool:
        """Return whether something that a job reads is made anew."""
        makers = {self.maker[path] for path in (*node.inputs, *node.ancient) if path in self.maker}
        return any(maker in self.adoption.refused or maker in self.adoption.following for maker in makers)

    def _check_params(self, node: Node, said: dict[str, Any]) -> None:
        """Raise UnfitError if outputs say that they were made by other code or settings, or Snakemake's note does."""
        asked = node.decide()
        record = self.records.of(node.outputs[-1])
        noted = {key: value for key, value in noted_params(record or {}).items() if key != REFUSED}
        other = differing(node, said)
        if "code" in other and noted == asked and self._speaks_of(record or {}, node):
            del other["code"]  # accepted by the user as it is
        if "code" not in said and noted and noted != asked:
            other = {**{key: value for key, value in noted.items() if key not in said}, **other}
        other = {key: value for key, value in other.items() if value != asked.get(key)}
        if other:
            raise UnfitError(f"{node.outputs[-1]}: {_told(node, other)}", {**asked, **other})

    def _speaks_of(self, record: dict[str, Any], node: Node) -> bool:
        """Return whether a note was written of this very file, by its time."""
        return abs((record.get("endtime") or 0) - (self.disk.time(node.outputs[-1]) or 0)) < SAME_TIME


def _unfit(node: Node, text: str) -> UnfitError:
    return UnfitError(text, {**node.decide(), REFUSED: text})


def _told(node: Node, other: dict[str, Any]) -> str:
    """Return by what else outputs were made, in words."""
    if "code_version" in other:
        return f"made by smearlab {other['code_version']}, which may have put it together in another way"
    settings = ", ".join(key for key in other if key != "code")
    if settings:
        return f"made with other settings ({settings})"
    code = other_code(node, str(other["code"]), node.decide()["code"])
    if code is not None and code.by_0_1_0:
        return "made by the code of 0.1.0"
    parts = ", ".join(code.parts) if code else ""
    return f"made by other code ({parts})" if parts else "made by other code"


def _note(node: Node, params: dict[str, Any], book: Records, disk: Disk, time: float | None = None) -> None:
    """Write of each output what Snakemake notes of one that it has made; time: what it gets as its own."""
    inputs = sorted((*node.inputs, *node.ancient))
    checksums = {path: checksum for path in inputs if (checksum := disk.checksum(path)) is not None}
    for path in filter(disk.has, node.outputs):
        record = {
            "rule": node.rule,
            "input": inputs,
            "log": [node.log],
            "params": [params_text(params)],
            "record_format_version": KNOWN_FORMAT,
            "incomplete": False,
            "starttime": time or disk.time(path),
            "endtime": time or disk.time(path),
            "input_checksums": checksums,
        }
        place = Path(book.note(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(record), encoding="utf-8")
        place.chmod(place.stat().st_mode | stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IWGRP)


def lines(grid: Grid, found: Adoption) -> Iterator[str]:
    """Yield what became of the results of a grid."""
    count = len(found.adopted) + len(found.refused) + len(found.absent) + len(found.following)
    yield f"{grid.name}: {len(found.adopted)} of {count} jobs adopted; Snakemake sees their files as up to date"
    silent = Counter(node.noun for node, says_code in found.adopted.items() if not says_code)
    if silent:
        yield f"by which code is not said in the files themselves of {numbers(silent)}: taken as made by today's"
    if found.unchecked:
        yield f"not there, and not checked: {number(len(found.unchecked), 'file')}, as {found.unchecked[0]}"
    for heading, damage in (("damaged, and made anew by the next run:", True), ("refused, and made anew:", False)):
        told = [refusal.text for refusal in found.refused.values() if refusal.damage == damage]
        yield from [heading] if told else []
        yield from (f"    {text}" for text in told)
    for heading, nodes in (("made again after these", found.following), ("not there yet", found.absent)):
        if nodes:
            yield f"{heading}: {numbers(Counter(node.noun for node in nodes))}"
