"""Whether this user may write where every run writes: in a checkout that several people use, not everybody may."""

import os
import pwd
from pathlib import Path

from smearlab.core.errors import UserError

SNAKEMAKE = Path(".snakemake")
WRITTEN = (SNAKEMAKE, *(SNAKEMAKE / name for name in ("locks", "metadata", "incomplete", "log")), Path(".smearlab"))


def check_writable(folder: Path = Path()) -> None:
    """Raise UserError for the first folder of a run's notes that this user may not write."""
    for name in WRITTEN:
        place = folder / name if (folder / name).exists() else folder / name.parent
        if place.is_dir() and not os.access(place, os.W_OK | os.X_OK):
            raise UserError(f"{place.absolute()}: {_reason(place.stat().st_uid)}")


def name_of(user: int) -> str:
    """Return a user's name, or what stands for one where the system knows none."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _reason(owner: int) -> str:
    if owner == os.getuid():
        return "cannot be written: make it writable, then the same command continues"
    return (
        f"belongs to {name_of(owner)}, and {name_of(os.getuid())} may not write there: use a checkout of your own, or "
        "share this one as docs/environments.md says"
    )
