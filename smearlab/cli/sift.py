"""Which results of a grid are whole and what the grid asks for, whatever their times: judged one after another.

Only read; `adopt` writes what follows from it.
"""

from dataclasses import dataclass, field
from typing import Any

from smearlab.cli.sound import accounts, check_origin, check_whole, differing
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.watch.reasons import other_code
from smearlab.watch.rebuild import Disk
from smearlab.watch.records import REFUSED, Records, noted_params

SAME_TIME = 0.01  # seconds between a file's time and the one in its note


@dataclass(frozen=True)
class Refusal:
    """Why the outputs of a job are not taken, and the parameters under which they are noted."""

    text: str
    params: dict[str, Any]
    damage: bool = False


@dataclass
class Sifted:
    """What becomes of each job of a grid.

    fitting: with whether its files say by which code. absent: nothing is there. following: made from what is refused
    or absent, and made again after it. unchecked: outputs that are not there, so that no hash could be compared.
    """

    fitting: dict[Node, bool] = field(default_factory=dict)
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


def sift(grid: Grid) -> Sifted:
    """Return what becomes of each job of a grid, each judged after those whose files it reads."""
    return _Sieve(grid).sifted


class _Sieve:
    """The jobs of a grid in their order, and what became of those before the one that is judged."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.records, self.disk = grid, Records(), Disk()
        self.sifted = Sifted()
        self.nodes = [node for node in nodes_of(grid) if node.rule != "all"]
        self.maker = {path: node for node in self.nodes for path in node.outputs}
        for node in self.nodes:
            self._sift(node)

    def _sift(self, node: Node) -> None:
        to = self.sifted
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
            to.fitting[node] = says_code
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
        return any(maker in self.sifted.refused or maker in self.sifted.following for maker in makers)

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
