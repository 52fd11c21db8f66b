"""What a machine may not give, provided before anything runs: room for caches, a user's name, packages of one place.

Compute nodes have homes that are absent or read-only, containers have users without a name. Jobs inherit what is set.
"""

import getpass
import os
import tempfile
from pathlib import Path

from smearlab.host.packages import snakemake_is_the_user_s

CACHES = Path(".smearlab") / "cache"


def settle() -> None:
    """Set in the environment what libraries ask for and the machine cannot answer; what can be used stays."""
    if not _can_write(_folder("XDG_CACHE_HOME", "~/.cache")):
        os.environ["XDG_CACHE_HOME"] = str(CACHES.absolute())
    if "MPLCONFIGDIR" not in os.environ and not _can_write(_folder("XDG_CONFIG_HOME", "~/.config")):
        os.environ["MPLCONFIGDIR"] = str(CACHES.absolute() / "matplotlib")
    if not _has_name():
        os.environ["LOGNAME"] = str(os.getuid())
    if not snakemake_is_the_user_s():  # else a package in ~/.local comes before that of a conda environment
        os.environ["PYTHONNOUSERSITE"] = "1"


def _folder(variable: str, usual: str) -> Path | None:
    """Return the folder that a variable names, or the usual one; None for a user without a home."""
    path = Path(os.path.expanduser(os.environ.get(variable) or usual))
    return path if path.is_absolute() else None


def _can_write(folder: Path | None) -> bool:
    """Return whether files can be made there, by making one."""
    if folder is None:
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _has_name() -> bool:
    try:
        return bool(getpass.getuser())
    except (KeyError, OSError):
        return False
