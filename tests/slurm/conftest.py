"""The cluster must be up (tests/slurm/run.sh); everything that costs time is prepared once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from folders import Folder, copy_checkout, outcome, slurm, until


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(folder)
    return folder


@pytest.fixture(scope="session")
def end_to_end(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The small grid up to its tables, done on this machine without a cluster."""
    folder = tmp_path_factory.mktemp("local")
    shutil.copytree(checkout, folder, dirs_exist_ok=True)
    local = Folder(folder, "grid.yaml")
    local.run("--cores", "2", "--until", "summarise")
    return local


@pytest.fixture(scope="session")
def slow_reference(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The slow grid up to its two trainings, done without a cluster and without pauses."""
    folder = tmp_path_factory.mktemp("reference")
    shutil.copytree(checkout, folder, dirs_exist_ok=True)
    local = Folder(folder, "slow.yaml")
    local.run("--cores", "2", "--until", "train_teacher")
    return local


@pytest.fixture
def slow(slow_reference: Folder, tmp_path: Path) -> Iterator[Callable[[float], Folder]]:
    """Make a folder in which only the slow training is still to be done."""
    folders: list[Folder] = []

    def make(pause: float) -> Folder:
        folder = tmp_path / "grid"
        shutil.copytree(slow_reference.path, folder, symlinks=True)
        shutil.rmtree(Folder(folder, "slow.yaml").only("results/teachers/**/slow"))
        shutil.rmtree(folder / ".smearlab", ignore_errors=True)
        (folder / "calls").unlink()
        folders.append(Folder(folder, "slow.yaml", pause=pause))
        return folders[-1]

    yield make
    for folder in folders:
        folder.end_leftovers()
        assert outcome(folder) == outcome(slow_reference)


@pytest.fixture(scope="session")
def pack_reference(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The grid of four short trainings up to their evaluations, done without a cluster and without pauses."""
    folder = tmp_path_factory.mktemp("reference")
    shutil.copytree(checkout, folder, dirs_exist_ok=True)
    local = Folder(folder, "pack.yaml")
    local.run("--cores", "2", "--until", "evaluate_teacher")
    return local


@pytest.fixture
def pack(pack_reference: Folder, tmp_path: Path) -> Iterator[Folder]:
    """A folder in which the four trainings are still to be done, and no process has loaded torch.

    In the end they are done, what was made is what an unbroken run makes, and nothing is left over.
    """
    folder = tmp_path / "grid"
    shutil.copytree(pack_reference.path, folder, symlinks=True)
    for left in ("results/teachers", ".smearlab"):
        shutil.rmtree(folder / left)
    for left in ("calls", "loads"):
        (folder / left).unlink()
    packed = Folder(folder, "pack.yaml", pause=0.1)
    yield packed
    try:
        until(lambda: not packed.at_work(), "no process is left over", seconds=60)
    finally:
        packed.end_leftovers()
    assert len(packed.trained()) == 4
    assert outcome(packed).items() <= outcome(pack_reference).items()
    assert not packed.marks()


@pytest.fixture(autouse=True)
def quiet_cluster() -> Iterator[None]:
    """Leave the cluster as it was: no jobs, both nodes up."""
    yield
    jobs = slurm("squeue", "-h", "-o", "%A").split()
    if jobs:
        slurm("scancel", *jobs)
    for node in ("c1", "g1"):
        if "down" in slurm("sinfo", "-h", "-n", node, "-o", "%t"):
            slurm("scontrol", "update", f"NodeName={node}", "State=resume")
    until(lambda: not slurm("squeue", "-h", "-o", "%A"), "the cluster is empty")
