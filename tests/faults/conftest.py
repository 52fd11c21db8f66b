"""A checkout with a finished tiny grid, made once under disturbance, and copies of it to break."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

sys.path.append(str(Path(__file__).parents[1] / "workflow"))  # the checkouts and the tiny grid of the workflow tests
sys.path.append(str(Path(__file__).parents[1] / "unit"))  # the tiny training of the unit tests

from projects import TINY, Project, checkout
from running import edited_while, kill_started, start, wait_for


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """Kill what a test has started, however it ends."""
    yield
    kill_started()


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, str]]:
    """A finished grid that nobody killed, and what others were told who came to its folder while it ran.

    Shared by all test processes: do not change it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project, told = Project(shared / "unbroken"), shared / "unbroken.json"
    with FileLock(shared / "unbroken.lock"):
        if not told.exists():
            checkout(project.folder)
            told.write_text(json.dumps(run_disturbed(project)))
    return project, json.loads(told.read_text())


def run_disturbed(project: Project) -> dict[str, str]:
    """Run the tiny grid while its config is edited and two others want the folder; return what those were told."""
    config = project.write(TINY)
    process = start(project.folder, config)
    wait_for(process, lambda: list(project.folder.glob("results/labels/*/*/*/*/audit.json")))
    with edited_while(project.folder / config, "epochs: 2", "epochs: 1"):
        process.send_signal(signal.SIGSTOP)  # it starts no job before both have been told
        told = {
            "clear-locks": project.smearlab("clear-locks").stderr,
            "snakemake": project.snakemake("--cores", "1", "--configfile", config).stderr,
        }
        assert process.poll() is None
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=600) == 0, (project.folder / "said").read_text()
    return told


@pytest.fixture
def finished(unbroken: tuple[Project, dict[str, str]], tmp_path: Path) -> Iterator[Project]:
    """A copy of the finished grid to break."""
    yield unbroken[0].copy_to(tmp_path / "broken")
    shutil.rmtree(tmp_path / "broken")
