"""How much memory the jobs of this machine may take."""

import os
from pathlib import Path

BOUNDS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_mb() -> int:
    """Return the megabytes (10⁶ bytes) of this machine's memory, or of the container's share where that is less."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *filter(None, map(_bound, BOUNDS))]
    return min(found) // 10**6


def _bound(file: Path) -> int | None:
    """Return the bytes that a control group states; None where there is no such file, or no bound in it."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
