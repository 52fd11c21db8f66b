"""A replicate of a cell, found by the cell's path among the cells of all configs, and what it was trained on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import STAGES, OneBlock
from smearlab.grid.find import all_grids
from smearlab.watch.explain import near_paths


@dataclass(frozen=True)
class Trained:
    """One replicate of a cell as a grid names it, with its place in its block."""

    block: OneBlock
    position: int

    @property
    def inputs(self) -> dict[str, Any]:
        """The files that its training reads, by name."""
        return STAGES["distill_student" if self.block.cell.teacher else "train_teacher"].reads(self.block)

    @property
    def folder(self) -> Path:
        """Where its block lies."""
        return Path(self.block.cell.folder(self.block.block))


def find_replicate(path: str, replicate: int, configs: Sequence[str] = ()) -> Trained:
    """Return a replicate of the cell (or of the block) at a path below results/, counted from 0 over its blocks.

    UserError for a path that is no cell of a config, and for a replicate that it does not have.
    """
    wanted = _normal(path)
    grids = [grid for _, grid in all_grids(configs) if isinstance(grid, Grid)]
    blocks = {block.cell.folder(block.block): block for grid in grids for block in _blocks_at(wanted, grid)}
    if not blocks:
        raise UserError(_unknown(path, wanted, grids))
    found = [Trained(block, position) for block in blocks.values() for position in range(block.cell.recipe.block_size)]
    if not 0 <= replicate < len(found):
        raise UserError(f"{path}: no replicate {replicate}; it has {len(found)}, 0 to {len(found) - 1}")
    return found[replicate]


def _normal(path: str) -> str:
    """Return a path as cells are called: from results/ on, if it goes through it."""
    below = "/".join(("", *Path(path).parts)).rpartition(f"/{RESULTS}/")[2]
    return below.strip("/")


def _blocks_at(wanted: str, grid: Grid) -> Iterator[OneBlock]:
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            inside = wanted.startswith((f"{cell.key}/{block}/", f"{cell.path}/{block}/"))
            if inside or wanted in (cell.key, cell.path, f"{cell.key}/{block}", f"{cell.path}/{block}"):
                yield OneBlock(grid, cell, block)


def _unknown(path: str, wanted: str, grids: list[Grid]) -> str:
    known = [key for grid in grids for cell in grid.cells.values() for key in (cell.key, cell.path)]
    near = near_paths(wanted, known)
    return f"{path}: no cell of any config" + (f"; near: {', '.join(near)}" if near else "")
