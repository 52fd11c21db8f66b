"""The benchmark files that Snakemake writes beside the log of a finished job."""

import csv
import math
from pathlib import Path


def seconds_taken(path: str | Path) -> float | None:
    """Return the wall time of a job in seconds; None where the file is absent or says no time."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            seconds = float(next(csv.DictReader(file, delimiter="\t"))["s"])
    except (OSError, StopIteration, KeyError, ValueError, TypeError, csv.Error):
        return None
    return seconds if math.isfinite(seconds) else None
