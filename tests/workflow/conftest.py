"""A checkout with a finished tiny grid, made once, and copies of it to change."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from projects import PLAIN, TINY, Project, checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout with the finished grids `tiny` and `plain`, shared by all test processes: do not change it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project = Project(shared / "finished")
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished.done").exists():
            checkout(project.folder)
            # A grouped job is run by a Snakemake of its own, as on a cluster: the config must reach that one too.
            project.run(TINY, "--groups", "make_dataset=spawned")
            project.run(PLAIN)
            (shared / "finished.done").touch()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the finished checkout to change, in a folder of another name."""
    yield finished.copy_to(tmp_path / "moved")
    shutil.rmtree(tmp_path / "moved")
