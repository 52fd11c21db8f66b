"""Where a grid is: what is done, running, waiting, failed, made by other code or settings, and how long it still takes.

All of it is read from the disk: outputs, run locks, logs, Snakemake's notes. Nothing is written, nothing is locked,
torch is not imported; so it may be asked at any time, from any machine that sees the folder.
"""

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import EVALUATIONS, GROUPS, Node, nodes_of
from smearlab.host.places import checkpoint_path
from smearlab.host.runlock import alive, describe
from smearlab.store.files import REMEDY, read_sealed
from smearlab.watch.learnt import Learnt, TimeLeft
from smearlab.watch.leftovers import LOCKS, OWNER, cores_here, running_here
from smearlab.watch.logs import failure, progress, waits_for_gpu
from smearlab.watch.rebuild import Rebuild
from smearlab.watch.records import Records
from smearlab.watch.words import reasons_of

DONE, RUNNING, WAITING, FAILED, STALE = STATES = ("done", "running", "waiting", "failed", "stale")
GRAVEST_FIRST = (FAILED, RUNNING, STALE, WAITING, DONE)  # a cell is what the gravest of its jobs is
Entry = dict[str, Any]


@dataclass
class Status:
    """A grid at one moment; plain values, which `--json` prints (docs/status.md)."""

    grid: str
    cells: dict[str, int]
    stages: dict[str, dict[str, int]]
    running: list[Entry] = field(default_factory=list)
    failed: list[Entry] = field(default_factory=list)
    diverged: list[Entry] = field(default_factory=list)
    stale: list[Entry] = field(default_factory=list)
    damaged: list[Entry] = field(default_factory=list)
    time_left: TimeLeft | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self.time_left is None

    def as_json(self) -> dict[str, Any]:
        """Return the status as plain values."""
        left = self.time_left and {**asdict(self.time_left), "source": self.time_left.source}
        return {**asdict(self), "time_left": left, "complete": self.complete}


def look(grid: Grid, nodes: list[Node] | None = None) -> Status:
    """Return where a grid is now; jobs: those of the grid, where they are known already."""
    return _Look(grid, nodes or nodes_of(grid)).status()


class _Look:
    """One look at the disk."""

    def __init__(self, grid: Grid, nodes: list[Node]) -> None:
        self.grid, self.now = grid, time.time()
        self.rebuild = Rebuild(nodes, Records())
        self.nodes = [node for node in nodes if node.rule != "all"]
        self.damaged: list[Entry] = []
        self.running: dict[Node, Entry] = {}
        self.failures: dict[Node, str] = {}
        self.state = {node: self._state(node) for node in self.nodes}

    def status(self) -> Status:
        """Put together what was seen."""
        stages = {stage: dict.fromkeys(("total", *STATES, "begun"), 0) for stage in GROUPS}
        for node, state in self.state.items():
            counts = stages[node.group]
            counts["total"] += 1
            counts[state] += 1
            counts["begun"] += state == WAITING and node.trains and _checkpoint(node).exists()
        diverged = self._diverged()
        self._whole()
        return Status(
            self.grid.name,
            self._cells({entry["cell"] for entry in diverged}),
            {stage: counts for stage, counts in stages.items() if counts["total"]},
            running=list(self.running.values()),
            failed=[_entry(node, error=error, log=node.log) for node, error in self.failures.items()],
            diverged=diverged,
            stale=[_entry(node, reasons=reasons_of(self.rebuild, node)) for node in self._of(STALE)],
            damaged=self.damaged,
            time_left=self._time_left(),
        )

    def _of(self, *states: str) -> Iterable[Node]:
        return (node for node, state in self.state.items() if state in states)

    def _state(self, node: Node) -> str:
        if entry := self._lives(node):
            self.running[node] = entry
            return RUNNING
        if not self.rebuild.runs(node):
            return DONE
        if error := self._error(node):
            self.failures[node] = error
            return FAILED
        return STALE if self.rebuild.disk.has(node.outputs[-1]) else WAITING

    def _error(self, node: Node) -> str | None:
        """Return how a job failed, if its log says so and is newer than what the job made."""
        written = self.rebuild.disk.time(node.log)
        if written is None or any(written < (self.rebuild.disk.time(path) or 0) for path in node.outputs):
            return None
        return failure(node.log)

    def _lives(self, node: Node) -> Entry | None:
        if node.trains:
            return self._training(node)
        begun = self.rebuild.records.begun(node.outputs[-1])
        written = self.rebuild.disk.time(node.log)
        if begun is None or written is None or written < begun or not self._driven or failure(node.log):
            return None
        if waits_for_gpu(node.log):
            return None
        return _entry(node, owner=None, log=node.log, seconds_left=None)

    def _training(self, node: Node) -> Entry | None:
        lock = _checkpoint(node)
        lock = lock.with_name(f"{lock.name}.lock")
        try:
            age = self.now - os.stat(lock).st_mtime
            owner = json.loads(lock.read_bytes())
            lives = alive(owner, age)
            who = describe(owner)
        except OSError:
            return None
        except (ValueError, KeyError, TypeError):
            self.damaged.append({"path": str(lock), "what": "is no readable lock"})
            return None
        if not lives:
            return None
        said = asdict(progress(node.log))
        if said["seconds_left"] is not None:
            written = self.rebuild.disk.time(node.log) or self.now
            said["seconds_left"] = max(0.0, said["seconds_left"] - max(0.0, self.now - written))
        return _entry(node, owner=who, log=node.log, **said)

    @cached_property
    def _driven(self) -> bool:
        """Whether a Snakemake works in this folder, as far as can be seen from here."""
        try:
            elsewhere = OWNER.read_text(encoding="utf-8").strip() != os.uname().nodename and any(LOCKS.glob("*.lock"))
        except (OSError, ValueError):
            elsewhere = False
        return elsewhere or bool(running_here(Path()))

    def _cells(self, diverged: set[str]) -> dict[str, int]:
        found: dict[str, set[str]] = defaultdict(set)
        for node, state in self.state.items():
            if node.cell is not None and node.cell.key in self.grid.cells:
                found[node.cell.key].add(state)
        counts = Counter(next(state for state in GRAVEST_FIRST if state in states) for states in found.values())
        return {"total": len(found), **{state: counts[state] for state in STATES}, "diverged": len(diverged)}

    def _diverged(self) -> list[Entry]:
        found = []
        for node in self.nodes:
            if node.trains and node.cell and self.rebuild.disk.has(node.outputs[-1]):
                for entry in self._replicates(node.outputs[-1]):
                    if entry.get("status") == "diverged":
                        seeds = {key: entry.get(key) for key in ("noise_seed", "seed")}
                        found.append(_entry(node, cell=node.cell.key, **seeds, reason=entry.get("reason")))
        return found

    def _replicates(self, path: str) -> list[Entry]:
        try:
            entries = read_sealed(path, "replicates")["replicates"]
            if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
                raise UserError(f"{path}: has no list of replicates")
        except UserError as error:
            self.damaged.append({"path": path, "what": str(error).removeprefix(f"{path}: ")})
            return []
        return entries

    def _whole(self) -> None:
        """Note outputs of finished jobs that are not there, and evaluations that are cut off."""
        for node in self._of(DONE):
            for path in self.rebuild.disk.missing(node.outputs):
                if path not in node.transient:
                    self.damaged.append(
                        {"path": path, "what": "is missing: python -m smearlab repair NAME makes it anew"}
                    )
            if node.group == EVALUATIONS and not _ends_well(node.outputs[-1]):
                what = f"is cut off or no metrics at all; {REMEDY}"
                self.damaged.append({"path": node.outputs[-1], "what": what})

    def _time_left(self) -> TimeLeft | None:
        left = list(self._of(WAITING, FAILED, STALE))
        if not left and not self.running:
            return None
        running = [(node, entry["seconds_left"]) for node, entry in self.running.items()]
        return Learnt(self._of(DONE, STALE)).time_left(left, running, cores_here(Path()))


def _entry(node: Node, **values: Any) -> Entry:
    return {"job": node.name, "stage": node.group, **values}


def _checkpoint(node: Node) -> Path:
    return checkpoint_path(node.cell.key if node.cell else "", node.block)


def _ends_well(path: str) -> bool:
    """Return whether a JSON file has its end; what is missing is not spoken of here."""
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 16))
            return file.read().rstrip().endswith(b"}")
    except OSError:
        return True
