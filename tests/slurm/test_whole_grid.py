"""A whole grid on a real cluster, and what its jobs ask the scheduler for."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from folders import CLUSTER, Folder, outcome

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def done(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, str]:
    """The small grid done on the cluster with the profile's GPU switch on, and all that Snakemake said."""
    folder = tmp_path_factory.mktemp("cluster")
    shutil.copytree(checkout, folder, dirs_exist_ok=True)
    on_cluster = Folder(folder, "grid.yaml")
    gpus = ["--set-resources", "distill_student:gpu=1"]
    return on_cluster, on_cluster.run(*CLUSTER, *gpus, "--verbose", "--slurm-keep-successful-logs")


def requests(output: str) -> list[str]:
    """The options of each sbatch call."""
    return [line.partition(" --wrap")[0] for line in output.splitlines() if line.startswith("sbatch call: ")]


def test_tables_are_those_of_a_local_run(done: tuple[Folder, str], end_to_end: Folder) -> None:
    assert outcome(done[0]) == outcome(end_to_end)
    assert (done[0].path / "reports" / "cluster.html").stat().st_size > 10_000


def test_short_trainings_share_a_job_that_asks_for_one_members_share(done: tuple[Folder, str]) -> None:
    teachers, students, evaluations = requests(done[1])
    for request, members in ((teachers, 4), (students, 2), (evaluations, 6)):
        assert re.search(r"--cpus-per-task=1\b", request)
        assert int(re.search(r"--mem (\d+)", request)[1]) < 2200
        assert int(re.search(r"-t (\d+)", request)[1]) == 5 * members
        assert "--requeue" in request and "--signal=USR1@120" in request
    assert "-p gpu" in students and "--gpus=1" in students
    assert "-p cpu" in teachers and "--gpus" not in teachers


def test_a_job_that_asked_for_a_gpu_sees_its_own(done: tuple[Folder, str]) -> None:
    logs = [path.read_text() for path in done[0].path.glob("logs/students/**/*.log")]
    assert len(logs) == 2
    assert all(re.search(r"SLURM job \d+ was given GPU [01]$", log, re.MULTILINE) for log in logs)


def test_after_the_cluster_nothing_is_left_to_do_here_and_after_a_local_run_nothing_there(
    done: tuple[Folder, str], end_to_end: Folder
) -> None:
    assert "Nothing to be done" in done[0].run("--cores", "2", "-n")
    assert re.search(r"^total +0$", end_to_end.run(*CLUSTER, "-n", "--until", "summarise"), re.MULTILINE)


def test_jobs_of_one_time_have_different_gpus(slow: Callable[[float], Folder]) -> None:
    folder = slow(0.0)
    shutil.rmtree(folder.only("results/teachers/**/cross_entropy"))
    unpacked = ["--group-components", "none=1"]
    folder.run(*CLUSTER, *unpacked, "--until", "train_teacher", "--set-resources", "train_teacher:gpu=1")
    logs = [path.read_text() for path in folder.path.glob("logs/teachers/**/paired-0.log")]
    assert sorted(re.findall(r"was given GPU (\d)$", "\n".join(logs), re.MULTILINE)) == ["0", "1"]
