"""What a killed run leaves behind: Snakemake's lock on the folder, cleared only when nobody holds it any more."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

from smearlab.core.errors import UserError
from smearlab.host.places import CHECKPOINTS
from smearlab.host.runlock import alive, describe

LOCKS = Path(".snakemake") / "locks"
RECORDS = Path(".snakemake") / "metadata"
OWNER = Path(".smearlab") / "run-host"


def clear_stale_locks(folder: Path = Path()) -> list[Path]:
    """Remove the locks of a dead Snakemake and return them; UserError if one is still alive in this folder.

    A lock says nothing of its owner. Its owner is dead if no Snakemake process works in this folder – which can
    only be seen on the machine that it ran on, so a lock left by another host is not touched.
    """
    locks = sorted((folder / LOCKS).glob("*.lock"))
    owner = folder / OWNER
    host = os.uname().nodename
    if locks:
        living = running_here(folder)
        if living:
            raise UserError(f"{folder.resolve()}: a run is going on here (process {living[0]}); wait for it or stop it")
        before = owner.read_text(encoding="utf-8", errors="replace").strip() if owner.exists() else host
        if before != host:
            raise UserError(
                f"{folder.resolve()}: locked by a run on {before}; if that one is dead, run snakemake --unlock"
            )
        for lock in locks:
            lock.unlink(missing_ok=True)
    owner.parent.mkdir(parents=True, exist_ok=True)
    owner.write_text(f"{host}\n", encoding="utf-8")
    return locks


def clear_unreadable_records(folder: Path = Path()) -> list[Path]:
    """Remove Snakemake's notes on files that are not text, which it would end on with a traceback; return them.

    It removes damaged ones itself where they are text. A file without a note is taken as it is.
    """
    damaged = []
    for record in (folder / RECORDS).rglob("*"):
        try:
            if record.is_file():
                record.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            record.unlink(missing_ok=True)
            damaged.append(record)
    return damaged


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


def running_here(folder: Path) -> list[int]:
    """Return the process ids of Snakemake runs whose working directory is this folder."""
    here = folder.resolve()
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        started = any(Path(word).name == "snakemake" for word in command[:4])
        if process.pid == os.getpid() or not started or "--mode" in command:  # with --mode it is one job of a run
            continue
        try:
            if Path(process.cwd()) == here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return sorted(found)
