"""Why something would run again: what `python -m smearlab explain` answers for a grid or a path below results/."""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import ESTIMATES, STUDENTS, TEACHERS, Node, nodes_of
from smearlab.grid.find import all_grids
from smearlab.watch.rebuild import Rebuild
from smearlab.watch.records import Records
from smearlab.watch.words import anything, kept, summary, title, words

ONE_BY_ONE = 12  # more jobs than these are told together


def explain(grid: Grid) -> list[str]:
    """Return for each reason for which something of a grid would run again a line, and what it concerns."""
    rebuild = Rebuild(nodes_of(grid), Records())
    if not rebuild.reasons:
        return [f"{grid.name}: nothing would run again"]
    return summary(rebuild, rebuild.reasons)


def explain_path(path: str, configs: Sequence[str] = ()) -> list[str]:
    """Return why what lies at a path below results/ is or will be made again, or that it will not.

    path: a cell, a block, a folder above or a file of one, with or without `results/`; also a page or a log. configs:
    files beside config.yaml and configs/. UserError where no config names it.
    """
    wanted = _normal(path)
    told: dict[tuple[str, ...], list[str]] = defaultdict(list)
    known: list[str] = []
    unread: list[Path] = []
    for config, grid in all_grids(configs):
        if isinstance(grid, UserError):
            unread.append(config)
            continue
        nodes = nodes_of(grid)
        if found := _matching(nodes, wanted):
            told[tuple(_told(Rebuild(nodes, Records()), found))].append(grid.name)
        known += [output for node in nodes for output in node.outputs]
    if not told:
        raise UserError(_unknown(path, wanted, known, unread))
    if len(told) == 1:
        return list(*told)
    return [line for lines, grids in told.items() for line in (f"for {', '.join(dict.fromkeys(grids))}:", *lines)]


def _told(rebuild: Rebuild, found: list[Node]) -> list[str]:
    if len(found) > ONE_BY_ONE:
        concerned = [node for node in found if rebuild.runs(node)]
        return [f"{len(found)} jobs, {len(concerned)} would run", *summary(rebuild, concerned)]
    return [line for node in found for line in _one(rebuild, node)]


def _one(rebuild: Rebuild, node: Node) -> list[str]:
    runs = rebuild.runs(node)
    state = "up to date" if not runs else "will run again" if anything(rebuild, node) else "will run"
    said = words(rebuild, node) if runs else kept(rebuild, node)
    return [f"{title(node)}: {state}", *(f"    {line}" for line in said)]


def _normal(path: str) -> str:
    """Return a path as the jobs spell theirs, as far as its form tells."""
    place = Path(path)
    if place.is_absolute():
        here = Path.cwd()
        place = place.relative_to(here) if place.is_relative_to(here) else place
    return place.as_posix().strip("/")


def _matching(nodes: list[Node], wanted: str) -> list[Node]:
    """Return the jobs whose files lie at or below a path; the path may leave out `results/` and the kind of block."""
    if wanted in (".", RESULTS):
        return []
    for prefix in ("", f"{RESULTS}/", *(f"{RESULTS}/{group}/" for group in (TEACHERS, STUDENTS, ESTIMATES))):
        if found := [node for node in nodes if _lies_at(node, f"{prefix}{wanted}")]:
            return found
    return []


def _lies_at(node: Node, path: str) -> bool:
    if path in (node.log, f"{RESULTS}/{node.name}"):
        return True
    return any(output == path or output.startswith(f"{path}/") for output in node.outputs)


def _unknown(given: str, wanted: str, known: list[str], unread: list[Path]) -> str:
    skipped = f"; not looked at, because they cannot be read: {', '.join(map(str, unread))}" if unread else ""
    below = wanted.removeprefix(f"{RESULTS}/")
    if Path(RESULTS, below).exists() and below not in (".", RESULTS):
        return f"{given}: no config names it (any more); `python -m smearlab clean` lists such results{skipped}"
    near = near_paths(below, [path.removeprefix(f"{RESULTS}/") for path in known])
    hint = f"; near: {', '.join(near)}" if near else ""
    return f"{given}: no cell, block or file of any config{hint}{skipped}"


def near_paths(wanted: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the known paths nearest to a wanted one, of as many parts: the parts are compared one by one."""
    tree: dict[str, Any] = {}
    for path in known:
        place = tree
        for part in path.split("/"):
            place = place.setdefault(part, {})
    paths: list[tuple[list[str], dict[str, Any]]] = [([], tree)]
    for part in wanted.split("/"):
        paths = [
            ([*before, name], below[name])
            for before, below in paths
            for name in difflib.get_close_matches(part, below, n=count, cutoff=0.4)
        ][:count]
    return ["/".join(parts) for parts, _ in paths]
