"""Nothing is changed in a folder in which a run, or a training of one, is alive."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from smearlab.core.errors import UserError
from smearlab.host.places import CHECKPOINTS
from smearlab.host.runlock import alive, describe
from smearlab.watch.leftovers import LOCKS, OWNER, running_here


def refuse_if_alive(undone: str) -> None:
    """Raise UserError while a run, or a training of one, is alive in this folder; undone: what is not done then."""
    if living := running_here(Path()):
        raise UserError(f"a run is going on here (process {living[0]}); {undone} before it has ended")
    with suppress(OSError, ValueError):
        before = OWNER.read_text(encoding="utf-8").strip()
        if before != os.uname().nodename and any(LOCKS.glob("*.lock")):
            raise UserError(f"locked by a run on {before}; {undone} before it has ended")
    for lock in CHECKPOINTS.rglob("*.checkpoint.lock"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            owner = json.loads(lock.read_bytes())
            if alive(owner, time.time() - lock.stat().st_mtime):
                raise UserError(f"{lock}: a training lives ({describe(owner)}); {undone} before it has ended")
