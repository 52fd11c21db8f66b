"""What Snakemake has noted of each file that it made: the parameters, the inputs and their checksums. Only read here.

A note lies in .snakemake/metadata under the file's path in URL-safe base64, cut into folder names of the longest length
that the disk allows; one in .snakemake/incomplete means that the job which makes the file has begun and not ended.
"""

import ast
import json
import os
from base64 import urlsafe_b64encode
from functools import cached_property
from pathlib import Path
from typing import Any

PLACE = Path(".snakemake")
REFUSED = "refused"  # the parameter that adopt notes of a file which is to be made anew, with what is wrong with it
KNOWN_FORMAT = 6  # earlier ones hold no reliable parameters; Snakemake passes over them too


class Records:
    """Snakemake's notes of one folder."""

    def __init__(self, place: Path = PLACE) -> None:
        self._place = str(place)

    def of(self, path: str) -> dict[str, Any] | None:
        """Return what is noted of a file, or None where nothing is, or nothing that can be relied on."""
        try:
            with open(self.note(path), "rb") as file:
                record = json.loads(file.read())
        except (OSError, ValueError):
            return None  # a torn note is passed over by Snakemake as well
        if not isinstance(record, dict) or record.get("record_format_version", 0) < KNOWN_FORMAT:
            return None
        return record

    def note(self, path: str) -> str:
        """Return where the note of a file lies."""
        return f"{self._place}/metadata/{self._name(path)}"

    def mark(self, path: str) -> str:
        """Return where it is marked that the job which makes a file has begun."""
        return f"{self._place}/incomplete/{self._name(path)}"

    def begun(self, path: str) -> float | None:
        """Return when the job that makes a file began (seconds since the epoch), if it has not ended; else None."""
        if not self.anything_begun:
            return None
        try:
            return os.stat(self.mark(path)).st_mtime
        except OSError:
            return None

    @cached_property
    def anything_begun(self) -> bool:
        """Whether any job has begun and not ended."""
        try:
            with os.scandir(f"{self._place}/incomplete") as entries:
                return next(entries, None) is not None
        except OSError:
            return False

    def _name(self, path: str) -> str:
        name = urlsafe_b64encode(path.encode()).decode()
        whole = range(0, len(name), self._longest)
        pieces = [name[i : i + self._longest] for i in whole]
        return "/".join([*(f"@{piece}" for piece in pieces[:-1]), pieces[-1]])

    @cached_property
    def _longest(self) -> int:
        try:
            return (os.pathconf(self._place, "PC_NAME_MAX") or 255) - 1
        except (OSError, ValueError, AttributeError):
            return 254


def params_text(params: dict[str, Any]) -> str:
    """Return the one dictionary of a job's parameters as Snakemake notes it."""
    return repr(params)


def noted_params(record: dict[str, Any]) -> dict[str, Any]:
    """Return the dictionary of parameters from a record; empty where it is of another form."""
    try:
        (text,) = record["params"]
        params = ast.literal_eval(text)
    except (KeyError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    return params if isinstance(params, dict) else {}
