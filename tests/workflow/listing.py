"""A plugin of pytest that lists what is collected, in a process whose clock is ahead."""

import os
import re
import time
from pathlib import Path

import pytest

AHEAD = float(os.environ["SMEARLAB_CLOCK_AHEAD"])  # seconds
LIST = Path(os.environ["SMEARLAB_LIST"])
_clock, _clock_ns = time.time, time.time_ns
time.time = lambda: _clock() + AHEAD
time.time_ns = lambda: _clock_ns() + int(AHEAD * 1e9)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write one line for each test: its id, and its parameters without addresses and without the checkout's folder."""
    LIST.write_text("\n".join(_line(item, str(session.config.rootpath)) for item in session.items), encoding="utf-8")


def _line(item: pytest.Item, root: str) -> str:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    plain = re.sub(r" at 0x[0-9a-f]+", "", repr(parameters)).replace(root, "")
    return ascii(f"{item.nodeid} {plain}")
