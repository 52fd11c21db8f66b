"""What a grid asks, stamped before its first training, and every change of it since.

It is no output of a rule: Snakemake removes the outputs of what it runs again, and this file must outlive that.
"""

import sys
from pathlib import Path
from typing import Any

from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid
from smearlab.grid.dag import RUN
from smearlab.grid.registration import place, terms
from smearlab.store.files import REMEDY
from smearlab.store.registered import TERMS, Stamps, read_stamps, write_stamps

OTHERS = (
    "the last run was of another config of this name, or of this one before it was edited; tables, figures and page "
    "become this one's, no training is lost"
)

NO_REMEDY = (
    "nothing can make anew what was asked first: put back a copy, or move it away, and the next run registers what it "
    "asks then"
)


def register(grid: Grid) -> None:
    """Stamp the terms of a grid unless they are those that were stamped last; nothing that stands there is changed.

    Says so where others were: two configs of one name take each other's tables and page, one after the other.
    UserError if the file that is there is damaged.
    """
    path = place(grid.name)
    found, before = stamps(grid), stamped(grid.name)
    if found == before:
        return
    if before:
        print(f"{path.parent}: {OTHERS}", file=sys.stderr)
    write_stamps(path, found)


def stamps(grid: Grid) -> Stamps:
    """Return what was stamped, oldest first, and behind it the grid's terms as they are now, where they are others."""
    before, now = stamped(grid.name), terms(grid)
    if before and all(before[-1].get(term) == now[term] for term in TERMS):
        return before
    return [*before, {**now, **_when(grid)}]


def stamped(name: str) -> Stamps:
    """Return what was stamped for a grid, oldest first; UserError, with what can be done, if the file is damaged."""
    try:
        return read_stamps(place(name))
    except UserError as error:
        raise UserError(str(error).replace(REMEDY, NO_REMEDY)) from error


def _when(grid: Grid) -> dict[str, Any]:
    """Return how many of the grid's blocks were trained by then; no clock, as in all results."""
    trained = sum((Path(folder) / RUN).exists() for folder in grid.folders())
    return {"trained_before": trained, "of": len(grid.folders())}
