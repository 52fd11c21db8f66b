"""Locks of the dead are cleared, those of the living are not."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from smearlab.core.errors import UserError
from smearlab.watch import leftovers
from smearlab.watch.leftovers import (
    LOCKS,
    OWNER,
    RECORDS,
    clear_before_run,
    clear_stale_locks,
    clear_unreadable_records,
    running_here,
)


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    (tmp_path / LOCKS).mkdir(parents=True)
    (tmp_path / LOCKS / "0.output.lock").write_text("results/x\n")
    return tmp_path


def test_a_lock_whose_run_is_dead_is_removed(locked: Path):
    assert [lock.name for lock in clear_stale_locks(locked)] == ["0.output.lock"]
    assert not list((locked / LOCKS).iterdir())
    assert clear_stale_locks(locked) == []


def test_a_lock_whose_run_is_alive_is_not_touched(locked: Path):
    script = locked / "snakemake"
    script.write_text("import sys, time\nprint('up', flush=True)\ntime.sleep(60)\n")
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, cwd=locked, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        try:
            assert running_here(locked) == [process.pid]
            with pytest.raises(UserError, match=rf"a run is going on here \(process {process.pid}\)"):
                clear_stale_locks(locked)
        finally:
            process.kill()
    assert (locked / LOCKS / "0.output.lock").exists()
    assert clear_stale_locks(locked)


def test_a_run_elsewhere_does_not_count(locked: Path, tmp_path_factory: pytest.TempPathFactory):
    assert running_here(tmp_path_factory.mktemp("other")) == []


def test_a_lock_of_another_host_is_left_to_the_user(locked: Path):
    (locked / OWNER).parent.mkdir()
    (locked / OWNER).write_text("elsewhere\n")
    with pytest.raises(UserError, match="locked by a run on elsewhere"):
        clear_stale_locks(locked)
    assert (locked / LOCKS / "0.output.lock").exists()


def test_the_host_of_the_run_is_noted(tmp_path: Path):
    clear_stale_locks(tmp_path)
    assert (tmp_path / OWNER).read_text().strip() == os.uname().nodename


def test_notes_that_are_not_text_are_removed_and_no_others(tmp_path: Path):
    notes = tmp_path / RECORDS / "@cmVz"
    notes.mkdir(parents=True)
    for name, content in (("good", b"{}"), ("torn", b'{"a'), ("empty", b""), ("flipped", b'{"\xe2": 1}')):
        (notes / name).write_bytes(content)
    assert clear_unreadable_records(tmp_path) == [notes / "flipped"]
    assert sorted(path.name for path in notes.iterdir()) == ["empty", "good", "torn"]


def test_a_damaged_note_of_the_host_is_a_host_unknown(locked: Path):
    (locked / OWNER).parent.mkdir(exist_ok=True)
    (locked / OWNER).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="run snakemake --unlock"):
        clear_stale_locks(locked)


RUNS = (["--cores", "all"], ["-j2", "--configfile", "configs/new.yaml"], ["reports/digits.html", "-c1", "--nodes", "3"])
LOOKS = (["-n"], ["-np"], ["--cores", "1", "-pn"], ["--dry-run"], ["--dryrun"], ["--unlock"], ["--nolock", "-c1"])


@pytest.mark.parametrize("arguments", RUNS, ids=" ".join)
def test_before_a_run_the_lock_of_a_dead_one_goes_and_it_is_said(arguments: list[str], locked: Path, capsys):
    clear_before_run(arguments, locked)
    assert not list((locked / LOCKS).iterdir())
    assert capsys.readouterr().err == f"removed {locked / LOCKS}, left by a run that is no longer alive\n"
    clear_before_run(arguments, locked)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_who_only_looks_removes_nothing(arguments: list[str], locked: Path):
    clear_before_run(arguments, locked)
    assert (locked / LOCKS / "0.output.lock").exists() and not (locked / OWNER).exists()


def test_before_a_run_a_lock_that_may_be_held_is_left_to_snakemake(locked: Path, capsys):
    (locked / OWNER).parent.mkdir()
    (locked / OWNER).write_text("elsewhere\n")
    clear_before_run(["--cores", "1"], locked)
    assert (locked / LOCKS / "0.output.lock").exists() and capsys.readouterr().err == ""


class Hidden:
    """A Snakemake of another user, of which the system does not show where it works."""

    pid = 4321

    def __init__(self, user: int) -> None:
        self.user = user

    def uids(self) -> "Hidden":
        return self

    @property
    def real(self) -> int:
        return self.user

    def cwd(self) -> str:
        raise psutil.AccessDenied(self.pid)


@pytest.mark.parametrize(("holder", "kept"), [(4242, True), (4343, False)])
def test_a_lock_of_another_user_is_kept_while_a_snakemake_of_theirs_lives(
    holder: int, kept: bool, locked: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whose lock it is, is pretended: only root can give a file away."""
    monkeypatch.setattr(leftovers, "_snakemakes", lambda: [Hidden(4242)])
    monkeypatch.setattr(leftovers, "_owner_of", lambda lock: holder)
    if kept:
        with pytest.raises(UserError, match="locked by user 4242, whose process 4321 may be a run here"):
            clear_stale_locks(locked)
    else:
        clear_stale_locks(locked)
    assert (locked / LOCKS / "0.output.lock").exists() == kept
