"""What each digest of code stood for when it was used, so that it can be said later which module changed.

One small file a digest under .smearlab/code, written when a grid is run. run.json says it of a training as well.
"""

from pathlib import Path

from smearlab.grid.jobs import parts_of_code
from smearlab.store.files import read_json, write_json

PLACE = Path(".smearlab") / "code"
Parts = dict[str, str]


def remember(place: Path = PLACE) -> None:
    """Note what the digests of all jobs asked for in this process are made of; a disk that refuses loses only this."""
    for digest, parts in parts_of_code().items():
        path = place / f"{digest}.json"
        try:
            if not path.exists():
                write_json(path, parts)
        except OSError:
            return


def recall(digest: str, run: Path | None = None, place: Path = PLACE) -> Parts:
    """Return what a digest was made of: module or library -> fingerprint or version; empty where nobody noted it.

    run: the run.json of a training, which may say it too.
    """
    parts = _read(place / f"{digest}.json")
    if parts or run is None:
        return parts
    said = _read(run)
    return _texts(said.get("code_parts")) if said.get("code") == digest else {}


def changes(before: Parts, now: Parts) -> list[str]:
    """Return the modules and libraries in which two digests differ."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _read(path: Path) -> Parts:
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _texts(value: object) -> Parts:
    return value if isinstance(value, dict) else {}
