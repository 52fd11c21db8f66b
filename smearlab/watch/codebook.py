"""What each digest of code stood for when it was used, so that it can be said later which module changed.

One small file a digest under .smearlab/code, written when a grid is run. The account of a training says it as well.
"""

from pathlib import Path

from smearlab.grid.jobs import parts_of_code
from smearlab.store.files import read_json, write_json

PLACE = Path(".smearlab") / "code"
SCRIPTS_0_1_0 = "workflow/scripts/"  # only that release counted its scripts; its fingerprints are of whole modules
Parts = dict[str, str]


def remember(place: Path = PLACE) -> None:
    """Note what the digests of all jobs asked for in this process are made of; a disk that refuses loses only this.

    What 0.1.0 noted of the same digest is replaced: the same code, in parts that can be compared with today's.
    """
    for digest, parts in parts_of_code().items():
        path = place / f"{digest}.json"
        try:
            if not path.exists() or is_of_0_1_0(_read(path)):
                write_json(path, parts)
        except OSError:
            return


def recall(digest: str, account: Path | None = None, place: Path = PLACE) -> Parts:
    """Return what a digest was made of: file or library -> fingerprint or version; empty where nobody noted it.

    account: what a training says of itself, which may hold it too.
    """
    parts = _read(place / f"{digest}.json")
    if parts or account is None:
        return parts
    said = _read(account)
    return _texts(said.get("code_parts")) if said.get("code") == digest else {}


def is_of_0_1_0(parts: Parts) -> bool:
    """Return whether 0.1.0 took down these parts, which cannot be compared one by one with those of later code."""
    return any(name.startswith(SCRIPTS_0_1_0) for name in parts)


def changes(before: Parts, now: Parts) -> list[str]:
    """Return the files and libraries in which two digests differ."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _read(path: Path) -> Parts:
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _texts(value: object) -> Parts:
    return value if isinstance(value, dict) else {}
