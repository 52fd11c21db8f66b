"""Files that are whole or absent: written beside, flushed, renamed; and their hashes."""

import csv
import hashlib
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from smearlab.core.errors import UserError

REMEDY = "the file is damaged or was changed: python -m smearlab repair NAME makes it anew"


def write_bytes(path: str | Path, data: bytes | memoryview) -> None:
    """Write a file atomically."""
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Give a file to write: a reader, a kill or a full disk never finds or leaves half of it under its name."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(beside, "xb") as file:  # fails on a name that is taken, so that nobody can plant a link there
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically; NaN and infinities are refused, because no other reader knows them."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_sealed(path: str | Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as JSON atomically, with its place and its checksum inside.

    So a damaged number is noticed, and so is a whole file, or a whole folder, that stands in another one's place.
    """
    place = _place(path)
    value = {**value, "file": place} if place else value
    write_json(path, {**value, "checksum": checksum(value)})


def read_sealed(path: str | Path, *keys: str) -> dict[str, Any]:
    """Read what write_sealed wrote, without place and checksum; UserError unless it is whole, here, and has the keys.

    A file without a checksum or a place (made by hand, or by an earlier version) is taken as it is.
    """
    try:
        value = read_json(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, f"is no readable JSON ({error})") from error
    if not isinstance(value, dict) or (missing := [key for key in keys if key not in value]):
        raise damaged(path, f"lacks {', '.join(missing)}" if isinstance(value, dict) else "is no mapping")
    stated = value.pop("checksum", None)
    if stated is not None and stated != checksum(value):
        raise damaged(path, "does not match its own checksum")
    written = value.pop("file", None)
    if written is not None and _place(path) not in (None, written):
        raise damaged(path, f"was written as {written} and stands in another one's place")
    return value


def _place(path: str | Path) -> str | None:
    """Return a file's path below results/, which stays the same when the checkout moves; None for any other file."""
    _, found, below = "/".join(("", *Path(path).parts)).rpartition("/results/")
    return below if found else None


def checksum(value: Any) -> str:
    """Return the SHA-256 of what a JSON file says, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def damaged(path: str | Path, what: str) -> UserError:
    """Return the error for a file that smearlab wrote and that is no longer what it was."""
    return UserError(f"{path}: {what}; {REMEDY}")


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray], *, compress: bool = False) -> None:
    """Write arrays to one .npz atomically, a part at a time; the same arrays always give the same bytes."""
    save: Any = np.savez_compressed if compress else np.savez
    with replacing(path) as file:
        save(file, **arrays)


def write_csv(path: str | Path, columns: list[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write rows as CSV atomically; None becomes an empty field and floats keep all their digits."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, buffer.getvalue())


def sha256_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: str | Path, hashes: Mapping[str, str], described: str) -> None:
    """Compare the named files of a folder with their SHA-256; UserError for one that differs.

    Files that are absent are passed over. described: the file that holds the hashes, for the message.
    """
    for name, stated in hashes.items():
        path = Path(folder, name)
        if path.is_file() and sha256_file(path) != stated:
            raise damaged(path, f"does not match its SHA-256 in {described}")


def sha256_array(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's type, shape and contents, in hexadecimal."""
    array = np.ascontiguousarray(array)
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(array.data if array.size else b"")
    return digest.hexdigest()
