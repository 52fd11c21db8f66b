"""What a grid asks, stamped before its first training, and every change of it since.

It is no output of a rule: Snakemake removes the outputs of what it runs again, and this file must outlive that.
"""

from pathlib import Path
from typing import Any

from smearlab.grid.cells import Grid
from smearlab.grid.dag import RUN
from smearlab.grid.registration import place, terms
from smearlab.store.registered import TERMS, Stamps, read_stamps, write_stamps


def register(grid: Grid) -> None:
    """Stamp the terms of a grid unless they are those that were stamped last; nothing that stands there is changed.

    UserError if the file that is there is damaged.
    """
    path = place(grid.name)
    if (found := stamps(grid)) != read_stamps(path):
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
