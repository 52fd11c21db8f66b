"""What no config names any more under results/, logs/ and .smearlab/checkpoints: listed, and removed when asked to.

Only what smearlab itself writes is known here, by its place and the form of its name. A folder that holds anything else
is left alone, links are not followed, data/ and reports/ are never looked at.
"""

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import COLLECTED, SUMMARISED, TABLES, nodes_of
from smearlab.grid.find import all_grids
from smearlab.grid.load import parse, read_config
from smearlab.host.places import CHECKPOINTS
from smearlab.host.runlock import alive, describe
from smearlab.watch.leftovers import LOCKS, OWNER, running_here

LOGS = "logs"
STAGES = ("data", "labels", "estimates", "teachers", "students", "evaluation", "theory")
DEFINED, BLOCK = r"[A-Za-z0-9_]+-[0-9a-f]{8}", r"(?:paired|crossed)-\d+"
GRID = rf"(?!(?:{'|'.join(STAGES)})/)[A-Za-z0-9][A-Za-z0-9_]*"
LABELS = rf"{DEFINED}/(?:{DEFINED}|clean)/rate=[^/]+"
ESTIMATE = rf"estimates/{LABELS}/{DEFINED}/cross_fit-[^/]+/{BLOCK}"
CELL = rf"(?:teachers/{LABELS}/{DEFINED}/[^/]+|students/{LABELS}/{DEFINED}/[^/]+/{DEFINED}/[^/]+)/{BLOCK}"
TABLE = "|".join(map(re.escape, (*COLLECTED.values(), *SUMMARISED.values())))
FORMS = {  # the files below each root; the group is the unit to which a file belongs, as the jobs name it
    RESULTS: (
        rf"(data/{DEFINED})/(?:training|test)\.(?:npz|json)",
        rf"(labels/{LABELS}/seed=\d+)/(?:labels\.npz|audit\.json)",
        rf"({ESTIMATE})/(?:probabilities\.npz|[^/]+\.json)",
        rf"({CELL})/(?:weights\.safetensors|history\.csv|run\.json|metrics\.json|examples\.npz)",
        rf"({GRID})/(?:{TABLE}|figures/[^/]+\.(?:svg|json))",
    ),
    LOGS: (
        rf"(data/{DEFINED})\.(?:log|tsv)",
        rf"(labels/{LABELS}/seed=\d+)\.(?:log|tsv)",
        rf"({ESTIMATE})(?:/[^/]+)?\.(?:log|tsv)",
        rf"(?:evaluation/)?({CELL})\.(?:log|tsv)",
        rf"({GRID})/(?:figures/)?[^/]+\.log",
    ),
    str(CHECKPOINTS): (
        rf"({CELL})\.checkpoint[^/]*",
        rf"({ESTIMATE})(?:\.checkpoint[^/]*|/\d+-\d+\.checkpoint[^/]*)",
    ),
}
TORN = re.compile(r"\.(.+)\.(?:[0-9a-f]{8}\.tmp|[0-9a-f]{32})")  # left by a process that was killed while it wrote


@dataclass
class Leftover:
    """What one unit (a data set, the labels of a seed, a block, a grid's tables) has below one root."""

    root: str
    unit: str
    files: list[Path] = field(default_factory=list)
    size: int = 0


@dataclass
class Named:
    """What the configs name: units, and the data sets and grids of configs whose data cannot be read here."""

    units: set[str] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def has(self, unit: str) -> bool:
        """Return whether some config names a unit, or may do so."""
        dataset = unit.split("/")[1].rpartition("-")[0] if "/" in unit else None
        return unit in self.units or dataset in self.datasets


def clean(configs: Sequence[str] = (), *, remove: bool = False) -> Iterator[str]:
    """Yield a line for each leftover with its size, and a total; with remove, remove them after that.

    configs: files beside config.yaml and configs/. UserError if a config cannot be read, or, with remove, while a run
    is alive in this folder.
    """
    named = named_by(configs)
    if remove:
        _refuse_if_alive()
    yield from named.notes
    found, apart = leftovers(named)
    for leftover in found:
        yield f"{_size(leftover.size):>10}  {leftover.root}/{leftover.unit}"
    yield from (f"left alone: {line}" for line in apart)
    total = _size(sum(leftover.size for leftover in found))
    if remove:
        for leftover in found:
            _remove(leftover)
    if not found:
        yield "nothing is there that no config names"
    else:
        yield f"{len(found)} entries, {total}: {'removed' if remove else 'nothing is removed without --remove'}"


def named_by(configs: Sequence[str] = ()) -> Named:
    """Return what all configs name; UserError for one that is no sound config.

    Where only its data are not here, everything under data sets of the names it uses counts as named.
    """
    named = Named()
    for path, grid in all_grids(configs):
        if isinstance(grid, Grid):
            jobs = [job for job in nodes_of(grid) if job.group != TABLES]
            named.units |= {Path(path).parent.relative_to(RESULTS).as_posix() for job in jobs for path in job.outputs}
            named.units.add(grid.name)
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
            unit = unit_of(root, below)
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


def unit_of(root: str, below: str) -> str | None:
    """Return the unit to which a file below a root belongs; None if smearlab writes no such file."""
    folder, _, name = below.rpartition("/")
    if torn := TORN.fullmatch(name):
        below = f"{folder}/{torn[1]}"
    matches = (re.fullmatch(form, below) for form in FORMS[root])
    return next((match[1] for match in matches if match), None)


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


def _refuse_if_alive() -> None:
    if living := running_here(Path()):
        raise UserError(f"a run is going on here (process {living[0]}); nothing is removed before it has ended")
    host = os.uname().nodename
    with suppress(OSError, ValueError):
        before = OWNER.read_text(encoding="utf-8").strip()
        if before != host and any(LOCKS.glob("*.lock")):
            raise UserError(f"locked by a run on {before}; nothing is removed before it has ended")
    for lock in CHECKPOINTS.rglob("*.checkpoint.lock"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(lock.read_bytes())
            if alive(owner, time.time() - lock.stat().st_mtime):
                raise UserError(f"{lock}: a training lives ({describe(owner)}); nothing is removed before it has ended")


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
