"""What the log of a job says of where it is, and how it ended. Only the end of the file is read."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smearlab.host.durations import seconds_of
from smearlab.host.gpus import WAITS

TAIL = 16_384  # bytes
LINE = re.compile(
    r"replicate (?P<replicate>\d+)/(?P<replicates>\d+) \(noise seed \d+, seed \d+\): "
    r"epoch (?P<epoch>\d+)/(?P<epochs>\d+)(?P<rest>,.*)?, (?P<left>[^,]+) left"
)
FOLD = re.compile(r"replicate (?P<replicate>\d+) of (?P<replicates>\d+), fold (?P<fold>\d+) of (?P<folds>\d+)")
SPEED = re.compile(r"([\d,]+) images/s")
FAULT = re.compile(r"^(?:error: .*|Traceback \(most recent call last\):)$", re.MULTILINE)
LAST_LINE = 300  # characters


@dataclass(frozen=True)
class Progress:
    """Where a training was when it wrote its last line; None for what it does not say.

    seconds_left is what it then said, for all of its replicates; None for a warm-up, which speaks of one fold only.
    """

    replicate: int | None = None
    replicates: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    fold: int | None = None
    folds: int | None = None
    images_per_second: float | None = None
    seconds_left: float | None = None


def progress(path: str | Path) -> Progress:
    """Return where a training is, by the last lines of its log."""
    lines = tail(path).splitlines()
    last = next((found for found in map(LINE.fullmatch, reversed(lines)) if found), None)
    fold = next((found for found in map(FOLD.fullmatch, reversed(lines)) if found), None)
    speed = next((found for found in map(SPEED.search, reversed(lines)) if found), None)
    said: dict[str, Any] = {}
    if last:
        said = {key: int(last[key]) for key in ("replicate", "replicates", "epoch", "epochs")}
        said["seconds_left"] = seconds_of(last["left"])
    if fold:
        said |= {key: int(value) for key, value in fold.groupdict().items()} | {"seconds_left": None}
    return Progress(**said, images_per_second=float(speed[1].replace(",", "")) if speed else None)


def waits_for_gpu(path: str | Path) -> bool:
    """Return whether a job that is alive has not begun because all GPUs are taken, by the last line of its log."""
    lines = tail(path).splitlines()
    return bool(lines) and lines[-1].endswith(WAITS)


def failure(path: str | Path) -> str | None:
    """Return the line with which a job's log says that it failed; None if it does not say so."""
    text = tail(path)
    faults = list(FAULT.finditer(text))
    if not faults:
        return None
    if faults[-1][0].startswith("error: "):
        return faults[-1][0][:LAST_LINE]
    told = [line for line in text[faults[-1].end() :].splitlines() if line.strip() and not line.startswith(" ")]
    return told[0][:LAST_LINE] if told else "a traceback that ends in the middle"


def tail(path: str | Path) -> str:
    """Return the end of a file as text; empty if it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
