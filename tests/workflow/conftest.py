"""A checkout with a finished tiny grid, made once, and copies of it to change."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from projects import PLAIN, TINY, Project, checkout


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Project:
    """Build a project once for all test processes; the others wait for it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / f"{name}.lock"):
        if not (shared / f"{name}.done").exists():
            build(shared / name)
            (shared / f"{name}.done").touch()
    return Project(shared / name)


def run_both(folder: Path) -> None:
    """Run the grids `tiny` and `plain` in a new checkout."""
    project = checkout(folder)
    # A grouped job is run by a Snakemake of its own, as on a cluster: the config must reach that one too.
    project.run(TINY, "--groups", "make_dataset=spawned")
    project.run(PLAIN)


def run_smoke(folder: Path) -> None:
    """Run configs/smoke.yaml in a new checkout with all its figures."""
    done = checkout(folder, figures=None).snakemake("--cores", "2", "--configfile", "configs/smoke.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout with the finished grids `tiny` and `plain`: do not change it."""
    return once(tmp_path_factory, "finished", run_both)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout with the finished smoke grid: do not change it."""
    return once(tmp_path_factory, "smoke", run_smoke)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the finished checkout to change, in a folder of another name."""
    yield finished.copy_to(tmp_path / "moved")
    shutil.rmtree(tmp_path / "moved")
