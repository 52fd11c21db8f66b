"""What a file or a folder contains, as one hash, computed anew only when something on the disk changed."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.store.files import read_json, sha256_file, write_json

CACHE = Path(".smearlab", "fingerprints.json")
SETTLED = 2_000_000_000  # ns; a file changed more recently could change again within one tick of its clock


def file_fingerprint(path: str | Path) -> str:
    """Return the SHA-256 of a file; UserError if it cannot be read."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    return _cached(f"file {path}", {"": path}, lambda: sha256_file(path))


def folder_fingerprint(root: str | Path, files: Mapping[str, Path]) -> str:
    """Return a SHA-256 over names and contents of files (name -> where it lies), sorted by name."""
    return _cached(f"folder {root}", files, lambda: _hash_all(files))


def _hash_all(files: Mapping[str, Path]) -> str:
    lines = [json.dumps([name, sha256_file(files[name])]) for name in sorted(files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _cached(key: str, files: Mapping[str, Path], compute: Callable[[], str]) -> str:
    try:
        state, newest = _state(files)
        known = _load().get(key)
        if isinstance(known, list) and len(known) == 2 and known[0] == state and _is_hash(known[1]):
            return known[1]
        digest = compute()
        settled = time.time_ns() - newest > SETTLED and _state(files)[0] == state
    except OSError as error:
        raise UserError(f"{error.filename or key}: cannot be read ({error.strerror or error})") from error
    if settled:
        _store(key, [state, digest])
    return digest


def _state(files: Mapping[str, Path]) -> tuple[str, int]:
    """Return a hash of what the file system says about the files, and the time of the last change (ns)."""
    digest, newest = hashlib.sha256(), 0
    for name in sorted(files):
        stat = os.stat(files[name])
        digest.update(json.dumps([name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]).encode() + b"\n")
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    return digest.hexdigest(), newest


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _load() -> dict:
    try:
        cache = read_json(CACHE)
    except (OSError, ValueError, RecursionError):
        return {}  # absent or damaged: it is only a cache
    return cache if isinstance(cache, dict) else {}


def _store(key: str, entry: list[str]) -> None:
    try:
        write_json(CACHE, _load() | {key: entry})
    except (OSError, ValueError):
        return  # a read-only or full disk costs the time of hashing again, nothing else
