"""What a killed run leaves behind: Snakemake's lock on the folder, cleared only when nobody holds it any more."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from smearlab.core.errors import UserError
from smearlab.host.checkout import name_of

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
        _refuse_other_users(folder, locks)
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


def clear_before_run(arguments: Sequence[str], folder: Path = Path()) -> bool:
    """Remove what would stop the Snakemake of these arguments although its owner is dead, say so, and return True.

    Nothing is touched, and False returned, where it would run no job (a dry run), and where the owner lives or may
    live, which Snakemake itself then says.
    """
    if any(re.match(r"--dry|--unlock|--nolock|-[a-zA-Z]*n", word) for word in arguments):
        return False
    try:
        locks = clear_stale_locks(folder)
    except UserError:
        return False
    if locks:
        print(f"removed {folder / LOCKS}, left by a run that is no longer alive", file=sys.stderr)
    return True


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


def running_here(folder: Path) -> list[int]:
    """Return the process ids of Snakemake runs whose working directory is this folder."""
    here = folder.resolve()
    found = []
    for process in _snakemakes():
        try:
            if Path(process.cwd()) == here and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return sorted(found)


def cores_here(folder: Path) -> int | None:
    """Return how many cores the run in this folder was given; None where there is none, or it says nothing of them."""
    for process in running_here(folder):
        try:
            found = _cores(psutil.Process(process).cmdline())
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if found is not None:
            return found
    return None


def _cores(command: Sequence[str]) -> int | None:
    """Return the value of Snakemake's --cores (-c); `all`, or none behind it, is what this process may use."""
    for i, word in enumerate(command):
        given = re.fullmatch(r"(?:--cores(?:=|$)|-c)(\w*)", word)
        if given is not None:
            value = given[1] or (command[i + 1] if i + 1 < len(command) else "")
            return int(value) if value.isdigit() and int(value) > 0 else len(os.sched_getaffinity(0))
    return None


def _snakemakes() -> list[psutil.Process]:
    """Return the other Snakemake processes of this machine, but for those that are one job of a run (--mode)."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        command = process.info["cmdline"] or []
        started = any(Path(word).name == "snakemake" for word in command[:4])
        if started and "--mode" not in command and process.pid != os.getpid():
            found.append(process)
    return found


def _refuse_other_users(folder: Path, locks: Sequence[Path]) -> None:
    """Raise UserError if a Snakemake of another user who holds a lock may work here: where it works, is not shown."""
    owners = {_owner_of(lock) for lock in locks} - {os.geteuid()}
    for process in _snakemakes():
        try:
            user = process.uids().real
            process.cwd()
        except psutil.NoSuchProcess:
            continue
        except psutil.AccessDenied:
            if user in owners:
                raise UserError(
                    f"{folder.resolve()}: locked by {name_of(user)}, whose process {process.pid} may be a run here; "
                    "if it is not, run snakemake --unlock"
                ) from None


def _owner_of(lock: Path) -> int:
    return lock.stat().st_uid
