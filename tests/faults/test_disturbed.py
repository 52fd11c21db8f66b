"""A grid that others disturb while it runs, and one whose clock goes wrong: same results, clear lines."""

import json
import os
import time

from projects import TINY, Project


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
