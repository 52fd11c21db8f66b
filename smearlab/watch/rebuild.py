"""Which jobs of a grid would run now, and why: Snakemake's own rules, followed without Snakemake.

A job runs of its own accord when it began and did not end, when a file it reads is newer than what it made and has
another checksum, when its parameters or its list of inputs changed. What is made from its outputs then runs as well,
and so does whatever makes a file that is missing and that a job which runs would read. A missing file that nothing
needs is left missing. Only the triggers of profiles/default count. Nothing is written, nothing is run.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from smearlab.grid.dag import Node
from smearlab.watch.records import Records, noted_params, params_text

LARGEST_COMPARED = 1_000_000  # bytes; a larger file counts as changed when it is newer


@dataclass
class Reasons:
    """Why one job would run; empty if it would not.

    missing: outputs that are not there and are needed. changed: inputs that are newer and have other contents. before
    and now: the parameters where they differ. added, dropped: the inputs where their list differs. because: the jobs
    that would run before it and make what it reads.
    """

    unfinished: bool = False
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    before: dict[str, Any] | None = None
    now: dict[str, Any] | None = None
    added: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    because: list[Node] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(
            self.unfinished
            or self.missing
            or self.changed
            or self.before is not None
            or self.added
            or self.dropped
            or self.because
        )

    @property
    def own(self) -> bool:
        """Whether the job would run whatever becomes of those before it."""
        return bool(self.unfinished or self.changed or self.before is not None or self.added or self.dropped)


class Disk:
    """What lies on the disk, each file looked at once."""

    def __init__(self) -> None:
        self._times: dict[str, float | None] = {}
        self._checksums: dict[str, str | None] = {}

    def time(self, path: str) -> float | None:
        """Return when a file was changed last (seconds since the epoch); None if it is not there."""
        try:
            return self._times[path]
        except KeyError:
            pass
        try:
            found = os.stat(path).st_mtime
        except OSError:
            found = None
        self._times[path] = found
        return found

    def has(self, path: str) -> bool:
        """Return whether a file is there."""
        return self.time(path) is not None

    def missing(self, paths: Iterable[str]) -> list[str]:
        """Return those files that are not there."""
        return [path for path in paths if self.time(path) is None]

    def checksum(self, path: str) -> str | None:
        """Return `sha256:…` of a small file, else None."""
        if path not in self._checksums:
            self._checksums[path] = _checksum(path)
        return self._checksums[path]


def _checksum(path: str) -> str | None:
    try:
        if os.path.getsize(path) > LARGEST_COMPARED:
            return None
        with open(path, "rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return None


class Rebuild:
    """The jobs of a grid that would run, each with its reasons."""

    def __init__(self, nodes: list[Node], records: Records, disk: Disk | None = None) -> None:
        self.nodes, self.records, self.disk = nodes, records, disk or Disk()
        self.maker = {path: node for node in nodes for path in node.outputs}
        self._readers: dict[Node, dict[Node, bool]] = {
            node: {} for node in nodes
        }  # True: by a file whose change counts
        for node in nodes:
            for paths, counts in ((node.ancient, False), (node.inputs, True)):
                for path in paths:
                    if path in self.maker:
                        self._readers[self.maker[path]][node] = counts
        self.reasons: dict[Node, Reasons] = {}
        self._decide()

    def makers(self, node: Node) -> dict[Node, list[str]]:
        """Return the jobs that make what a job reads, each with those files."""
        found: dict[Node, list[str]] = {}
        for path in (*node.inputs, *node.ancient):
            if path in self.maker:
                found.setdefault(self.maker[path], []).append(path)
        return found

    def runs(self, node: Node) -> bool:
        """Return whether a job would run."""
        return node in self.reasons

    def _decide(self) -> None:
        waiting: deque[Node] = deque()
        below: set[Node] = set()  # what follows from a job that runs: it runs too, for that reason
        for node in self.nodes:
            if node not in below and (reasons := self.own_reasons(node)):
                self.reasons[node] = reasons
                waiting.append(node)
                self._mark(node, below)
        while waiting:
            node = waiting.popleft()
            for maker, paths in self.makers(node).items():
                if missing := self.disk.missing(paths):
                    self._add(maker, waiting).missing += missing
            for reader, counts in self._readers[node].items():
                if counts or reader in self.reasons or self.disk.missing(self.makers(reader)[node]):
                    self._add(reader, waiting).because.append(node)

    def _mark(self, node: Node, below: set[Node]) -> None:
        waiting = [node]
        while waiting:
            for reader in self._readers[waiting.pop()]:
                if reader not in below:
                    below.add(reader)
                    waiting.append(reader)

    def _add(self, node: Node, waiting: deque[Node]) -> Reasons:
        if node not in self.reasons:
            self.reasons[node] = Reasons()
            waiting.append(node)
        return self.reasons[node]

    def own_reasons(self, node: Node) -> Reasons:
        """Return why a job would run whatever becomes of the others."""
        if node.rule == "all":
            return Reasons(missing=self.disk.missing(node.inputs))
        if any(self.records.begun(path) is not None and self.disk.has(path) for path in node.outputs):
            return Reasons(unfinished=True)
        record = self.records.of(node.outputs[-1])
        if changed := self._changed_inputs(node, record):
            return Reasons(changed=changed)
        reasons = _differences(node, record) if record is not None else Reasons()
        return reasons if reasons and all(map(self.records.of, node.outputs)) else Reasons()

    def _changed_inputs(self, node: Node, record: dict[str, Any] | None) -> list[str]:
        made = self._made(node)
        if made is None:
            made = next((t for t in map(self._made, self._readers[node]) if t is not None), None)
        if made is None:
            return []
        known = (record or {}).get("input_checksums") or {}
        newer = [path for path in node.inputs if (self.disk.time(path) or made) > made]
        return [path for path in newer if path not in known or _prefixed(known[path]) != self.disk.checksum(path)]

    def _made(self, node: Node) -> float | None:
        files = (*node.outputs, node.benchmark) if node.benchmark else node.outputs
        return min((t for t in map(self.disk.time, files) if t is not None), default=None)


def _prefixed(checksum: str) -> str:
    return checksum if ":" in checksum else f"sha256:{checksum}"


def _differences(node: Node, record: dict[str, Any]) -> Reasons:
    reasons = Reasons()
    now = node.decide()
    if record.get("params") is not None and set(record["params"]) != {params_text(now)}:
        reasons.before, reasons.now = noted_params(record), now
    listed = sorted((*node.inputs, *node.ancient))
    if record.get("input") is not None and record["input"] != listed:
        reasons.added = sorted(set(listed) - set(record["input"]))
        reasons.dropped = sorted(set(record["input"]) - set(listed))
    return reasons
