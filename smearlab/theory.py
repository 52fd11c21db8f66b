"""The claims that need no training, computed one after another."""

from dataclasses import asdict
from typing import Any

from smearlab import registry


def check_all() -> list[dict[str, Any]]:
    """Return every registered claim as plain values: name, claim, source, measured, tolerance, holds, detail, curves.

    Each takes seconds at most and draws from its own named stream, so the values are the same in every run.
    """
    return [{"name": name, **asdict(registry.load("claims", name).check())} for name in registry.names("claims")]
