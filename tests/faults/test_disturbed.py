"""A grid that others disturb while it runs, and one whose clock goes wrong: same results, clear lines."""

import json
import os
import time

from projects import TINY, Project, hashes


def test_a_second_run_in_the_same_folder_is_told_of_the_first(unbroken: tuple[Project, dict[str, str]]) -> None:
    project, told = unbroken
    line = f"{project.folder.resolve()}: a run is going on here (process "
    assert told["clear-locks"].startswith(line) and told["clear-locks"].count("\n") == 1
    assert "Directory cannot be locked" in told["snakemake"]


def test_a_config_edited_while_its_grid_runs_changes_the_next_run_only(
    unbroken: tuple[Project, dict[str, str]],
) -> None:
    runs = list(unbroken[0].folder.glob("results/*s/**/run.json"))
    assert len(runs) == 6
    assert {json.loads(run.read_text())["recipe"]["epochs"] for run in runs} == {2}


def test_a_clock_that_jumped_back_while_the_grid_ran_reruns_nothing(finished: Project) -> None:
    stages = ["results/data", "results/labels", "results/teachers", "results/students", "results/tiny", "reports"]
    for k, stage in enumerate(stages):  # the later the stage, the earlier its time
        for path in [p for p in (finished.folder / stage).rglob("*") if p.is_file()]:
            os.utime(path, (time.time() - 3600 * (k + 1),) * 2)
    assert finished.plan(TINY) == {}


def test_results_of_a_clock_that_was_ahead_are_built_upon(finished: Project) -> None:
    """Snakemake takes back what a job makes if it is older than what the job read."""
    for stage in ("data", "labels", "teachers", "students"):
        for path in [p for p in (finished.folder / "results" / stage).rglob("*") if p.is_file()]:
            os.utime(path, (time.time() + 400 * 86_400,) * 2)
    before = hashes(finished.folder)
    metrics = next(finished.folder.glob("results/teachers/*/clean/*/*/*/*/metrics.json"))
    metrics.unlink()
    target = str(metrics.relative_to(finished.folder))
    again = finished.snakemake(target, "--cores", "2", "--configfile", finished.write(TINY))
    assert again.returncode == 0, again.stdout + again.stderr
    assert "results had times in the future" in again.stderr
    assert hashes(finished.folder) == before and finished.plan(TINY) == {}
