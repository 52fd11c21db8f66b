"""Times of files where a clock was set back, or clocks of two machines disagree.

Snakemake takes back what a job has made if it is older than what the job read, and would do so until the clock has
caught up.
"""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

APART = 2_000_000_000  # nanoseconds by which a time may be ahead without meaning anything


def not_older(outputs: Iterable[str], inputs: Iterable[str]) -> None:
    """Give outputs that are older than the newest input its time."""
    newest = max(map(_time, inputs), default=0)
    for path in outputs:
        if 0 < _time(path) < newest:
            _set(path, newest)


def bring_to_now(paths: Iterable[str], folder: Path) -> int:
    """Move times that lie ahead of the disk's clock back, all by so much that the last is now; return how many.

    folder: one on that disk, for a file whose time tells it. Files of others stay as they are.
    """
    times = {path: _time(path) for path in paths}
    now = _now(folder)
    ahead = max(times.values(), default=0) - now
    if ahead <= APART:
        return 0
    late = [path for path, time in times.items() if time > now]
    return sum(_set(path, times[path] - ahead) for path in late)


def _time(path: str) -> int:
    """Return when a file was changed last, in nanoseconds since the epoch; 0 where it is not there."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _set(path: str, time: int) -> bool:
    with suppress(OSError):
        os.utime(path, ns=(time, time))
        return True
    return False


def _now(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / f".now.{secrets.token_hex(4)}"
    probe.touch()
    try:
        return probe.stat().st_mtime_ns
    finally:
        probe.unlink()
