"""What a grid asks, stamped before its first training, and every change of it since.

It is no output of a rule: Snakemake removes the outputs of what it runs again, and this file must outlive that.
"""

import sys
from pathlib import Path
from typing import Any

from smearlab.grid.cells import Grid
from smearlab.grid.dag import RUN
from smearlab.grid.registration import place, terms
from smearlab.store.registered import TERMS, Stamps, read_stamps, write_stamps

OTHERS = (
    "the last run was of another config of this name, or of this one before it was edited; tables, figures and page "
    "become this one's, no training is lost"
)


def register(grid: Grid) -> None:
    """Stamp the terms of a grid unless they are those that were stamped last; nothing that stands there is changed.

    Says so where others were: two configs of one name take each other's tables and page, one after the other.
    UserError if the file that is there is damaged.
    """
    path = place(grid.name)
    found, before = stamps(grid), read_stamps(path)
    if found == before:
        return
    if before:
        print(f"{path.parent}: {OTHERS}", file=sys.stderr)
    write_stamps(path, found)


def stamps(grid: Grid) -> Stamps:
    """Return what was stamped, oldest first, and behind it the grid's terms as they are now, where they are others."""
    stamped, now = read_stamps(place(grid.name)), terms(grid)
    if stamped and all(stamped[-1].get(term) == now[term] for term in TERMS):
        return stamped
    return [*stamped, {**now, **_when(grid)}]


def _when(grid: Grid) -> dict[str, Any]:
    """Return how many of the grid's blocks were trained by then; no clock, as in all results."""
    trained = sum((Path(folder) / RUN).exists() for folder in grid.folders())
    return {"trained_before": trained, "of": len(grid.folders())}
