"""What no config names any more under results/, logs/ and .smearlab/checkpoints: listed, and removed when asked to.

Only what smearlab itself writes is listed (forms.py). A folder that holds anything else is left alone, links are not
followed, data/ and reports/ are never looked at. What an earlier version may have made of a config that is still there
is listed apart (earlier.py).
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import Node, nodes_of
from smearlab.grid.find import all_grids
from smearlab.grid.load import parse, read_config
from smearlab.watch.earlier import Earlier, Kin
from smearlab.watch.forms import FORMS, unit_of
from smearlab.watch.living import refuse_if_alive
from smearlab.watch.records import Records

TORN = re.compile(r"\.(.+)\.(?:[0-9a-f]{8}\.tmp|[0-9a-f]{32})")  # left by a process that was killed while it wrote


@dataclass
class Leftover:
    """What one unit (a data set, the labels of a seed, a block, a grid's tables) has below one root.

    kept: an earlier version made it from settings that a config still has.
    """

    root: str
    unit: str
    files: list[Path] = field(default_factory=list)
    size: int = 0
    kept: bool = False


@dataclass
class Named:
    """What the configs name: units, the jobs of each, and the data sets of configs whose data cannot be read here."""

    units: set[str | None] = field(default_factory=set)
    grids: list[tuple[str, list[Node]]] = field(default_factory=list)
    datasets: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def has(self, unit: str) -> bool:
        """Return whether some config names a unit, or may do so."""
        dataset = unit.split("/")[1].rpartition("-")[0] if "/" in unit else None
        return unit in self.units or dataset in self.datasets


def clean(configs: Sequence[str] = (), *, remove: bool = False, earlier: bool = False) -> Iterator[str]:
    """Yield a line for each leftover with its size, and a total; with remove, remove them after that.

    configs: files beside config.yaml and configs/. earlier: remove also what an earlier version made from the settings
    of a config. UserError if a config cannot be read, or, with remove, while a run is alive in this folder.
    """
    named = named_by(configs)
    if remove:
        refuse_if_alive("nothing is removed")
    yield from named.notes
    found, apart = leftovers(named)
    kin = Earlier(named.grids, Records())
    groups = _groups(found, {leftover.unit: kin.of(leftover.unit) for leftover in found})
    for sentence, members in groups.items():
        yield from [sentence] if sentence else []
        yield from (f"{_size(leftover.size):>10}  {leftover.root}/{leftover.unit}" for leftover in members)
    yield from (f"left alone: {line}" for line in apart)
    kept = [leftover for leftover in found if leftover.kept and not earlier]
    going = [leftover for leftover in found if earlier or not leftover.kept]
    if remove:
        for leftover in going:
            _remove(leftover)
    yield _total(going, kept, removed=remove)


def _groups(found: list[Leftover], kin: Mapping[str, Kin | None]) -> dict[str, list[Leftover]]:
    """Return the leftovers by the sentence that is to be said of them, "" first, and mark those to be kept."""
    groups: dict[str, list[Leftover]] = {"": []}
    for leftover in found:
        related = kin[leftover.unit]
        leftover.kept = related is not None and related.later is not None
        groups.setdefault(_sentence(related), []).append(leftover)
    return groups


def _sentence(kin: Kin | None) -> str:
    if kin is None:
        return ""
    if kin.later is None:
        return f"of names that {kin.config} uses, with other settings, or the same as an earlier version named them:"
    beyond = f", but for {', '.join(kin.later)}, which came later" if kin.later else ""
    return f"made by an earlier version from the settings of {kin.config}{beyond}; kept unless --earlier is given:"


def _total(going: list[Leftover], kept: list[Leftover], *, removed: bool) -> str:
    if not going and not kept:
        return "nothing is there that no config names"
    total = f"{len(going)} entries, {_size(sum(leftover.size for leftover in going))}"
    left = f"; {len(kept)} made by an earlier version are kept" if kept else ""
    return f"{total}: {'removed' if removed else 'nothing is removed without --remove'}{left}"


def named_by(configs: Sequence[str] = ()) -> Named:
    """Return what all configs name; UserError for one that is no sound config.

    Where only its data are not here, everything under data sets of the names it uses counts as named.
    """
    named = Named()
    for path, grid in all_grids(configs):
        if isinstance(grid, Grid):
            nodes = nodes_of(grid)
            named.grids.append((str(path), nodes))
            outputs = {output for node in nodes for output in node.outputs if output.startswith(f"{RESULTS}/")}
            named.units |= {unit_of(RESULTS, output.removeprefix(f"{RESULTS}/")) for output in outputs}
            continue
        try:
            config = parse(read_config(path))
        except UserError as error:
            first = str(error).splitlines()[0].removeprefix("config ").removeprefix(f"{path}: ")
            raise UserError(f"{path}: {first}; nothing is listed before every config can be read") from None
        named.units.add(config.name)
        named.datasets |= set(config.datasets)
        names = ", ".join(config.datasets)
        named.notes.append(f"{path} cannot be laid out here ({grid}): all results of data sets named {names} are kept")
    return named


def leftovers(named: Named) -> tuple[list[Leftover], list[str]]:
    """Return what no config names, and lines on what is not looked at."""
    found: list[Leftover] = []
    apart: list[str] = []
    for root in FORMS:
        units: dict[str, Leftover] = {}
        strange: list[str] = []
        for path in _files(root, apart):
            below = path.relative_to(root).as_posix()
            unit = _owner(root, below)
            if unit is None:
                strange.append(below)
            elif not named.has(unit):
                leftover = units.setdefault(unit, Leftover(root, unit))
                leftover.files.append(path)
                leftover.size += path.lstat().st_size
        for unit in [unit for unit in units if root == RESULTS]:
            others = [path for path in strange if path.startswith(f"{unit}/")]
            if others or any(line.startswith(f"{root}/{unit}/") for line in apart):
                apart.append(
                    f"{root}/{unit}: holds what smearlab has not written ({', '.join(others[:3]) or 'a link'})"
                )
                del units[unit]
        found += sorted(units.values(), key=lambda leftover: leftover.unit)
    return found, apart


def _owner(root: str, below: str) -> str | None:
    """Return the unit to which a file below a root belongs; None if smearlab writes no such file."""
    folder, _, name = below.rpartition("/")
    torn = TORN.fullmatch(name)
    return unit_of(root, f"{folder}/{torn[1]}" if torn else below)


def _files(root: str, apart: list[str]) -> Iterator[Path]:
    """Yield the plain files below a root; links are noted and not followed."""
    waiting = [root]
    if any(Path(*Path(root).parts[:k]).is_symlink() for k in range(1, len(Path(root).parts) + 1)):
        apart.append(f"{root} is a link")
        return
    while waiting:
        try:
            entries = sorted(os.scandir(waiting.pop()), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            apart.append(f"{error.filename} cannot be read ({error.strerror})")
            continue
        for entry in entries:
            if entry.is_symlink():
                apart.append(f"{entry.path} is a link")
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)


def _remove(leftover: Leftover) -> None:
    """Remove the files of a unit, and the folders that are empty then, up to the root."""
    for path in leftover.files:
        path.unlink(missing_ok=True)
    root = Path(leftover.root)
    for folder in {path.parent for path in leftover.files}:
        with suppress(OSError):  # a folder that is not empty stays
            while folder != root:
                folder.rmdir()
                folder = folder.parent


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
