"""The outputs of jobs that are about to run, kept until these have made new ones.

Snakemake deletes what a job has made before it starts the job again, and the notes of it when the job fails. So a run
keeps both: what was not made anew comes back at its end, or, where it was killed, when the next one begins. Kept files
are further names of the same bytes (copies only where results/ lies on another disk).
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from smearlab.store.files import read_json, write_json
from smearlab.watch.records import Records

ASIDE = Path(".smearlab") / "aside"
FILES, NOTES, JOBS = ASIDE / "files", ASIDE / "notes", ASIDE / "jobs.json"
CALLER_PUTS_BACK = "SMEARLAB_CALLER_PUTS_BACK"  # in the environment of the runs of a repair


def keep(jobs: Iterable[Sequence[str]]) -> None:
    """Keep what is there of the outputs of jobs, each job's account last; no result, no note is touched.

    What a job left that began and did not end is no result.
    """
    kept, records = _kept(), Records()
    for outputs in jobs:
        there = [path for path in outputs if os.path.lexists(path) and records.begun(path) is None]
        for path in there:
            _keep_file(path)
        if there:
            kept.append(list(outputs))
    if kept:
        write_json(JOBS, kept)  # last: what it does not name was not kept whole, and is still there


def put_back_of_run() -> None:
    """Bring back what a run has not made anew, unless it is one of several whose caller does so after the last."""
    if CALLER_PUTS_BACK not in os.environ:
        put_back()


def put_back() -> None:
    """Bring back the outputs of each job whose account is not there, all of them together; forget the others."""
    for outputs in _kept():
        if not os.path.lexists(outputs[-1]):
            for path in outputs:
                _put_back_file(path)
    shutil.rmtree(ASIDE, ignore_errors=True)


def _kept() -> list[list[str]]:
    try:
        return [list(outputs) for outputs in read_json(JOBS)]
    except (OSError, ValueError, RecursionError, TypeError):
        return []


def _keep_file(path: str) -> None:
    place, note = FILES / path, Path(Records().note(path))
    place.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(place):
        try:
            os.link(path, place, follow_symlinks=False)
        except OSError:
            shutil.copy2(path, place, follow_symlinks=False)
    if note.is_file():
        (NOTES / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(note, NOTES / path)


def _put_back_file(path: str) -> None:
    """Bring one output back; without its note Snakemake would take it for what today's settings ask for."""
    place, note = FILES / path, NOTES / path
    if not os.path.lexists(place):
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if note.is_file():
        known = Path(Records().note(path))
        known.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(note, known)
    with suppress(FileNotFoundError):
        os.unlink(Records().mark(path))
    with suppress(FileNotFoundError):
        os.unlink(path)  # one that a killed job has written
    shutil.move(place, path)
