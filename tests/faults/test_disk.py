"""A disk that is full or read-only: one line for the user, nothing half written, and the same command continues."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smearlab.host.joblog import job_log
from smearlab.store.files import write_bytes

sys.path.append(str(Path(__file__).parents[1] / "unit"))  # the tiny training of the unit tests

import tiny_training as tiny

OUTPUTS = ["history.csv", "run.json", "weights.safetensors"]


def mounted(folder: Path) -> bool:
    """Try to make the folder a disk of one megabyte; only root can."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, bool]]:
    """A folder, on a small disk of its own if that is possible, and whether it is."""
    small = mounted(tmp_path / "disk")
    yield tmp_path / "disk", small
    if small:
        subprocess.run(["umount", str(tmp_path / "disk")], check=True)


@contextmanager
def full(folder: Path, small: bool) -> Iterator[None]:
    """Within this context nothing can be written into the folder."""
    if not small:
        with no_file_longer_than(100):
            yield
        return
    with pytest.raises(OSError, match="No space left"), open(folder / "ballast", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield
    (folder / "ballast").unlink()


@contextmanager
def no_file_longer_than(n_bytes: int) -> Iterator[None]:
    """Within this context this process can write no file longer than that, as if its disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(folder: Path, small: bool) -> Iterator[None]:
    """Within this context the folder is read-only, for root too where it is a disk of its own."""
    if small:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    folder.chmod(0o500) if not small else None
    yield
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True) if small else folder.chmod(0o700)


def train_as_a_job(folder: Path, log: Path) -> None:
    with job_log(log):
        tiny.train(tiny.job(), folder, log=print, interval=0.0)


@pytest.mark.parametrize("log_too", [False, True], ids=["results", "results and log"])
def test_a_full_disk_is_one_line_and_the_same_command_continues(
    log_too: bool, disk: tuple[Path, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, small = disk
    log = (folder if log_too else tmp_path) / "job.log"
    with full(folder, small), pytest.raises(SystemExit):
        train_as_a_job(folder, log)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "weights.safetensors: " in said and "free some space, then the same command continues" in said
    assert {path.name for path in folder.iterdir()} <= {"job.log"}
    train_as_a_job(folder, log)
    tiny.train(tiny.job(), tmp_path / "unbroken")
    assert tiny.outcome(folder) == tiny.outcome(tmp_path / "unbroken")


def test_a_disk_that_fills_between_two_outputs_leaves_whole_ones_only(tmp_path: Path) -> None:
    with no_file_longer_than(2000):
        write_bytes(tmp_path / "small", b"x" * 1000)
        with pytest.raises(OSError, match="too large") as error:
            write_bytes(tmp_path / "large", b"x" * 4000)
    assert error.value.filename == str(tmp_path / "large")
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_what_was_there_survives_a_full_disk(tmp_path: Path) -> None:
    write_bytes(tmp_path / "table", b"before")
    with no_file_longer_than(100), pytest.raises(OSError, match="too large"):
        write_bytes(tmp_path / "table", b"x" * 4000)
    assert (tmp_path / "table").read_bytes() == b"before"


@pytest.mark.parametrize("log_too", [False, True], ids=["results", "results and log"])
def test_a_read_only_folder_is_one_line(
    log_too: bool, disk: tuple[Path, bool], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, small = disk
    log = (folder / "logs" if log_too else tmp_path) / "job.log"
    with read_only(folder, small), pytest.raises(SystemExit):
        train_as_a_job(folder, log)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(folder) in said and "make it writable, then the same command continues" in said
    assert not list(folder.iterdir())
    assert os.access(folder, os.W_OK)
