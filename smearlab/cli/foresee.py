"""What the comparisons of a grid can find, before anything runs: from the number of replicates and of tests alone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from smearlab.core.power import POWER, detectable, pairs_to_exclude, pairs_to_find
from smearlab.grid.cells import Grid, Row
from smearlab.grid.definitions import Method
from smearlab.statistics.cells import NAMES, Cell
from smearlab.statistics.families import HEADLINES, Hypothesis, hypothesis, identity, primaries, sizes

SPREADS = (0.5, 1.0, 2.0)
"""Standard deviations of a paired difference, in points, for which the margin's replicates are told."""


def lines(grid: Grid) -> Iterator[str]:
    """Yield a line for each kind of family, and one for the margin."""
    found = hypotheses(grid)
    if not found:
        return
    members = sizes(found)
    power = f"{100 * POWER:.0f} % power"
    yield f"  what n can find ({power}, 5 % over a family), in standard deviations of a paired difference:"
    kinds = Counter((_kind(test), members[test], n) for test, n in found.items())
    for (kind, size, n), _ in sorted(kinds.items()):
        yield f"    {kind}, {_counted(size, 'test')} a family, n = {n}: {_found(n, size)}"
    yield _margin(grid.config.margin, max(members.values()))


def hypotheses(grid: Grid) -> dict[Hypothesis, int]:
    """Return what the grid will test, with the independent pairs behind each: replicates, or crossed noise seeds."""
    of = {method: name for name, methods in grid.families.items() for method in methods}
    cells = [(row, _cell(row, of)) for row in grid.named.values()]
    wanted = grid.config.primary.model_dump() if grid.config.primary else None
    headline = primaries([cell for _, cell in cells], wanted)
    plain = {_place(row): row.cell.key for row, cell in cells if cell.is_plain}
    return {
        hypothesis(cell, primary=identity(cell) in headline): _pairs(grid, row)
        for row, cell in cells
        if not cell.is_plain and plain.get(_place(row), row.cell.key) != row.cell.key
    }


def _cell(row: Row, families: Mapping[Method, str]) -> Cell:
    family = families.get((row.naming.teacher or row.naming).method)
    return Cell({name: row.columns.get(name) for name in NAMES}, row.cell.key, "", {}, frozenset(), {}, family=family)


def _place(row: Row) -> tuple[Any, ...]:
    """What a row shares with its baseline: all but the treatment that is tested."""
    own = ("teacher_method", "teacher_alpha", "teacher_transition", "teacher_options")
    tested = own if row.cell.role == "student" else ("method", "alpha", "transition", "options")
    return tuple(str(value) for name, value in row.columns.items() if name not in tested)


def _pairs(grid: Grid, row: Row) -> int:
    if row.cell.labels.dataset.split is not None:
        return grid.config.replicates.blocks
    seeds = [replicate for block in grid.blocks(row.cell) for replicate in row.cell.replicates(block)]
    noise_seeds = {replicate.noise_seed for replicate in seeds}
    return len(noise_seeds) if 1 < len(noise_seeds) < len(seeds) else len(seeds)


def _kind(test: Hypothesis) -> str:
    return "headlines" if test[0] == HEADLINES else f"{test[0][-1]}".replace("_", " ")


def _found(n: int, size: int) -> str:
    first, alone = detectable(n, size), detectable(n)
    if first is None or alone is None:
        return "nothing (a test needs three replicates)" if alone is None else "nothing as the first of them"
    return f"{first:.2f}" + (f" for the first in Holm's order, {alone:.2f} for the last" if size > 1 else "")


def _margin(margin: float, size: int) -> str:
    told = [
        f"{deviation:g} points: {pairs_to_find(margin / deviation, size)} and {pairs_to_exclude(margin / deviation)}"
        for deviation in SPREADS
    ]
    first = f"{margin:g} points; first of {_counted(size, 'test')}"
    return (
        f"    replicates to find a difference of the margin ({first}), and to show that none is larger, if paired "
        f"differences have a standard deviation of {'; '.join(told)}"
    )


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
