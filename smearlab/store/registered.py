"""registered.json: the terms of a grid as they were first stamped, and what was stamped later."""

from pathlib import Path
from typing import Any

from smearlab.store.files import read_sealed, write_sealed

NAME, LATER = "registered.json", "later"
TERMS = ("config_sha256", "headline", "margin", "families")
STAMP = (*TERMS, "trained_before", "of")  # of: the blocks of the grid, of which so many were trained by then
Stamps = list[dict[str, Any]]


def read_stamps(path: Path) -> Stamps:
    """Return what was stamped, oldest first; [] where the file is absent. UserError if it is damaged."""
    if not path.exists():
        return []
    said = read_sealed(path, *STAMP, LATER)
    return [{key: said[key] for key in STAMP}, *said[LATER]]


def write_stamps(path: Path, stamps: Stamps) -> None:
    """Write what was stamped, at least one."""
    write_sealed(path, {**stamps[0], LATER: stamps[1:]})
