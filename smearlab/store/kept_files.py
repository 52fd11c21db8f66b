"""Files that a config names by their place and a job by their contents: found again by their SHA-256."""

import os
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.store.files import sha256_file

FOLDER = Path(".smearlab", "files")


def is_kept(path: str, sha256: str, use: str) -> bool:
    """Whether a file is known by its contents, for a use, at this place."""
    link = FOLDER / f"{use}-{sha256}"
    return link.is_symlink() and os.readlink(link) == os.path.abspath(path)


def keep(path: str, sha256: str, use: str) -> None:
    """Make a file known by its contents; the link is exchanged at once, whoever else does so too."""
    link = FOLDER / f"{use}-{sha256}"
    passing = link.with_name(f"{link.name}.{os.getpid()}")
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        passing.unlink(missing_ok=True)
        passing.symlink_to(os.path.abspath(path))
        passing.replace(link)
    except OSError as error:
        raise UserError(f"{FOLDER}: cannot be written ({error.strerror})") from error


def kept(sha256: str, use: str) -> Path:
    """Return the place of a file; UserError if it is gone or is another one by now."""
    link = FOLDER / f"{use}-{sha256}"
    place = Path(os.readlink(link)) if link.is_symlink() else Path("its place in the config")
    if not place.is_file() or sha256_file(place) != sha256:
        raise UserError(f"{place}: the file of SHA-256 {sha256[:12]}… is not there any more")
    return place
