"""The benchmark files that Snakemake writes beside the log of a finished job."""

import csv
import math
import re
from pathlib import Path

HEAD = 65_536  # bytes of a log: a job waits for its GPU before all else
WAITED = re.compile(r"^device: waited (\d+(?:\.\d+)?) s for a GPU$", re.MULTILINE)


def seconds_taken(path: str | Path) -> float | None:
    """Return the run time of a job in seconds, without what it waited for a GPU, as the log beside it says.

    None where the file is absent or says no time.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            seconds = float(next(csv.DictReader(file, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError, TypeError, csv.Error):
        return None
    return max(0.0, seconds - _waited(Path(path).with_suffix(".log"))) if math.isfinite(seconds) else None


def waited_line(seconds: float) -> str:
    """Return the line by which a job's log says how long it waited for a GPU."""
    return f"device: waited {seconds:.1f} s for a GPU"


def _waited(log: Path) -> float:
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            found = WAITED.search(file.read(HEAD))
    except OSError:
        return 0.0
    return float(found[1]) if found else 0.0
