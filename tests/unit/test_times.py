"""A clock that was set back leaves times in the future, for which Snakemake would take back what a job has made."""

import os
from pathlib import Path

from smearlab.host.times import APART, bring_to_now, not_older

SECOND = 1_000_000_000
YEAR = 365 * 86_400 * SECOND


def made(folder: Path, **times: int) -> dict[str, str]:
    """Files with times: nanoseconds after now."""
    (folder / "now").touch()
    now = time(str(folder / "now"))
    for name, after in times.items():
        (folder / name).touch()
        os.utime(folder / name, ns=(now + after,) * 2)
    return {name: str(folder / name) for name in times}


def time(path: str) -> int:
    return os.stat(path).st_mtime_ns


def test_an_output_gets_the_time_of_a_newer_input_and_keeps_a_later_one(tmp_path: Path) -> None:
    files = made(tmp_path, labels=YEAR, data=YEAR // 2, weights=0, run=2 * YEAR)
    later = time(files["run"])
    not_older([files["weights"], files["run"], str(tmp_path / "absent")], [files["data"], files["labels"]])
    assert time(files["weights"]) == time(files["labels"]) and time(files["run"]) == later
    assert not (tmp_path / "absent").exists()


def test_a_job_that_reads_nothing_keeps_its_times(tmp_path: Path) -> None:
    files = made(tmp_path, data=-YEAR)
    before = time(files["data"])
    not_older(files.values(), [])
    assert time(files["data"]) == before


def test_times_in_the_future_come_to_now_in_their_order_and_others_stay(tmp_path: Path) -> None:
    files = made(tmp_path, old=-YEAR, data=YEAR, labels=YEAR + 5 * SECOND, run=YEAR + 9 * SECOND)
    before = {name: time(path) for name, path in files.items()}
    assert bring_to_now([*files.values(), str(tmp_path / "absent")], tmp_path) == 3
    after = {name: time(path) for name, path in files.items()}
    assert after["old"] == before["old"] and before["old"] < after["run"] <= time(made(tmp_path, later=0)["later"])
    assert after["run"] - after["labels"] == 4 * SECOND and after["labels"] - after["data"] == 5 * SECOND
    assert bring_to_now(files.values(), tmp_path) == 0


def test_what_is_hardly_ahead_and_what_is_not_there_is_let_be(tmp_path: Path) -> None:
    files = made(tmp_path, data=APART // 2)
    before = time(files["data"])
    assert bring_to_now([*files.values(), str(tmp_path / "absent")], tmp_path) == 0
    assert time(files["data"]) == before and {path.name for path in tmp_path.iterdir()} == {"now", "data"}
    assert bring_to_now([], tmp_path / "new") == 0
