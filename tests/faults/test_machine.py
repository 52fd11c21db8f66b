"""Plain `snakemake` on machines that lack something, and after a run that was killed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from projects import TINY, Project, hashes

LOCK = Path(".snakemake") / "locks" / "0.output.lock"


def snakemake(project: Project, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake with some variables set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST", "COV", "MPL", "XDG"))}
    command = [sys.executable, "-m", "snakemake", *arguments, "--configfile", project.write(TINY)]
    return subprocess.run(
        command, cwd=project.folder, env=kept | environment, capture_output=True, text=True, timeout=600
    )


def test_jobs_run_where_the_home_cannot_be_written(finished: Project) -> None:
    """What Snakemake itself needs before it reads any rule is one variable; the jobs are given theirs by the rules."""
    (finished.folder / "file").touch()
    figure = finished.folder / "results/tiny/figures/methods.svg"
    figure.unlink()
    cache = finished.folder / ".smearlab" / "cache"
    home = {"HOME": str(finished.folder / "file" / "home"), "XDG_CACHE_HOME": str(cache)}
    run = snakemake(finished, "--cores", "1", "results/tiny/figures/methods.svg", **home)
    assert run.returncode == 0, run.stderr
    assert figure.exists() and list((cache / "matplotlib").iterdir())
    (log,) = finished.folder.glob("logs/tiny/figures/methods*.log")
    assert log.read_text() == ""


def test_jobs_run_where_no_temporary_file_can_be_written(finished: Project) -> None:
    """A folder that is not there is what a full one is: nothing can be made in it, for root neither."""
    before = hashes(finished.folder)
    (run,) = finished.folder.glob("results/teachers/*/clean/*/*/cross_entropy/paired-0/run.json")
    target = str(run.relative_to(finished.folder))
    again = snakemake(finished, "--cores", "2", "--force", target, TMPDIR=str(finished.folder / "no" / "tmp"))
    assert again.returncode == 0, again.stderr
    assert hashes(finished.folder) == before and not (finished.folder / "no").exists()


def test_a_checkout_is_only_read_where_results_lie_elsewhere(finished: Project, tmp_path: Path) -> None:
    source, here = tmp_path / "source", Project(tmp_path / "here")
    here.folder.mkdir()
    config = finished.write(TINY)
    for name in ("results", "reports", "logs", ".snakemake", ".smearlab"):
        shutil.move(finished.folder / name, here.folder / name)
    finished.folder.rename(source)
    before = files_of(source)
    (metrics,) = here.folder.glob("results/teachers/*/clean/*/*/cross_entropy/paired-0/metrics.json")
    good = metrics.read_bytes()
    metrics.write_bytes(good[:100])

    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEMAKE", "PYTEST", "COV"))}
    kept |= {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    plain = ["snakemake", "--snakefile", str(source / "Snakefile"), "--configfile", str(source / config), "--dry-run"]
    for command in (["smearlab", "repair", str(source / config)], plain):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=here.folder, env=kept, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
    assert metrics.read_bytes() == good and files_of(source) == before
    source.rename(finished.folder)  # for the fixture, which removes it


def files_of(folder: Path) -> dict[str, int]:
    """When each file was written, but for the digests kept where they can be, which are an aid."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "digests.json")
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def test_a_report_is_written_where_the_home_cannot_be(finished: Project) -> None:
    (finished.folder / "file").touch()
    page = finished.folder / "reports" / "tiny.html"
    page.unlink()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MPL", "XDG"))}
    run = subprocess.run(
        [sys.executable, "-m", "smearlab", "report", "tiny"],
        cwd=finished.folder,
        env=kept | {"HOME": str(finished.folder / "file" / "home")},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stderr) == (0, "") and page.exists()


def test_the_lock_of_a_dead_run_stops_no_plain_snakemake(finished: Project) -> None:
    page = finished.folder / "reports" / "tiny.html"
    page.unlink()
    lock = finished.folder / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("reports/tiny.html\n")
    looked = snakemake(finished, "--dry-run")
    assert looked.returncode == 0 and lock.exists() and "Directory cannot be locked" in looked.stderr + looked.stdout
    run = snakemake(finished, "--cores", "1")
    assert run.returncode == 0, run.stderr
    assert "removed .snakemake/locks, left by a run that is no longer alive" in run.stderr.splitlines()
    assert page.exists()


@pytest.mark.parametrize(
    ("tools", "arguments", "said"),
    [
        ((), (), "executor slurm: there is no `sbatch` on this machine"),
        (
            ("sbatch", "scontrol", "sinfo", "squeue"),
            ("--slurm-array-jobs", "all"),
            "--slurm-array-jobs: every member of a job array",
        ),
    ],
)
def test_a_cluster_that_cannot_be_used_so_is_said_before_anything_runs(
    tools: tuple[str, ...], arguments: tuple[str, ...], said: str, finished: Project
) -> None:
    page = finished.folder / "reports" / "tiny.html"
    page.unlink()
    place = finished.folder / "tools"
    place.mkdir()
    for name in ("sh", "bash", "which"):  # and nothing else, so that a cluster of this machine is not seen
        (place / name).symlink_to(shutil.which(name))
    for tool in tools:
        (place / tool).write_text("#!/bin/sh\n", encoding="utf-8")
        (place / tool).chmod(0o755)
    run = snakemake(finished, "--workflow-profile", "profiles/slurm", *arguments, PATH=str(place))
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith(said)
    assert not page.exists() and not (finished.folder / LOCK).exists()
