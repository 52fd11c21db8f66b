"""registered.json: what a grid asks, stamped before its first training, and every change of it since.

It is no output of a rule: Snakemake removes the outputs of what it runs again, and this file must outlive that.
"""

from pathlib import Path
from typing import Any

from smearlab.grid.cells import Grid
from smearlab.grid.dag import RUN
from smearlab.grid.registration import TERMS, place, terms
from smearlab.store.files import read_sealed, write_sealed


def register(grid: Grid) -> None:
    """Stamp the terms of a grid unless they are those that were stamped last; nothing that stands there is changed.

    UserError if the file that is there is damaged.
    """
    if (found := registrations(grid)) != _stamped(grid):
        write_registrations(place(grid.name), found)


def registrations(grid: Grid) -> list[dict[str, Any]]:
    """Return what was stamped, oldest first, and behind it the grid's terms as they are now, where they are others."""
    stamped, now = _stamped(grid), terms(grid)
    if stamped and all(stamped[-1].get(term) == now[term] for term in TERMS):
        return stamped
    return [*stamped, {**now, **_stamp(grid)}]


def write_registrations(path: Path, found: list[dict[str, Any]]) -> None:
    """Write the file."""
    write_sealed(path, {"registrations": found})


def _stamped(grid: Grid) -> list[dict[str, Any]]:
    path = place(grid.name)
    found: list[dict[str, Any]] = read_sealed(path, "registrations")["registrations"] if path.exists() else []
    return found


def _stamp(grid: Grid) -> dict[str, Any]:
    """Return how many of the grid's blocks were trained by then; no clock, as in all results."""
    trained = sum((Path(folder) / RUN).exists() for folder in grid.folders())
    return {"trained_before": trained, "of": len(grid.folders())}
