"""Durations in words of the right size, as they stand in the logs, and back."""

import re

FORM = re.compile(r"(?:(\d+) days ?)?(?:(\d+) h ?)?(?:(\d+) min ?)?(?:(\d+) s)?")


def duration(seconds: float) -> str:
    """Return a duration in words: 41 s, 3 min 20 s, 2 h 05 min, 3 days 4 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} days {whole % 86400 // 3600} h"


def seconds_of(text: str) -> float | None:
    """Return the seconds that a duration in a log says; None if it is none."""
    found = FORM.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(group or 0) for group in found.groups())
    return float(86400 * days + 3600 * hours + 60 * minutes + seconds)
