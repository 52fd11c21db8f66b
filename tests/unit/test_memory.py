"""The plan says what memory jobs ask for, by the numbers of the requests, and whether those at once fit."""

from pathlib import Path
from typing import Any

import pytest

from configs import config
from smearlab.cli.parser import main
from smearlab.core.digest import ROOT
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.find import find_grid
from smearlab.grid.memory import lines
from smearlab.grid.resources import BASE_MEMORY_MB, evaluation_resources, training_resources
from smearlab.host import memory


def grid(**recipe: Any) -> Grid:
    return load_grid(config(*((f"recipes.small.{key}", value) for key, value in recipe.items())))


def test_what_is_told_is_what_the_jobs_ask_for() -> None:
    of = find_grid(str(ROOT / "configs" / "cifar10-cpu.yaml"))
    told = next(lines(of, 2, 10**6))
    cells = list(of.cells.values())
    for stage, asked in (
        ("teachers", [training_resources(cell) for cell in cells if cell.role == "teacher"]),
        ("evaluations", [evaluation_resources(cell) for cell in cells]),
    ):
        assert f"{stage} {max(a['mem_mb'] for a in asked) / 1000:.1f} GB" in told


@pytest.mark.parametrize(
    "cores, threads, machine, said",
    [
        (2, 1, 2.01, "2 jobs at once on 2 cores: 4.0 GB, fit this machine's 4.0 GB"),
        (4, 2, 2.01, "2 jobs at once on 4 cores: 4.0 GB, fit"),
        (2, 4, 1.01, "one job at a time on 2 cores: 2.0 GB, fit this machine's 2.0 GB"),
        (4, 1, 2.01, "4 jobs at once on 4 cores: 8.0 GB, do not fit this machine's 4.0 GB; snakemake --resources mem_"),
        (
            1,
            1,
            0.5,
            "one job at a time on one core: 2.0 GB, do not fit this machine's 1.0 GB; a job alone asks for 2.0",
        ),
    ],
)
def test_jobs_at_once_fit_or_do_not(cores: int, threads: int, machine: float, said: str) -> None:
    """machine: its memory, in that of a job of a small grid."""
    of = grid(threads=threads)
    each = {training_resources(cell)["mem_mb"] for cell in of.cells.values()}
    assert all(abs(mem - BASE_MEMORY_MB) < 50 for mem in each)
    *_, told = lines(of, cores, round(machine * max(each)))
    assert said in told


def test_what_is_said_to_start_as_many_as_fit_is_this_machines_memory() -> None:
    *_, told = lines(grid(), 8, 5000)
    assert told.endswith("snakemake --resources mem_mb=5000 starts as many as do")


@pytest.mark.parametrize("text, bound", [("1000000000\n", 1000), ("max\n", None), (None, None)])
def test_a_container_has_its_share(text: str | None, bound: int | None, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(memory, "BOUNDS", (tmp_path / "memory.max",))
    whole = memory.machine_mb()
    if text is not None:
        (tmp_path / "memory.max").write_text(text)
    assert memory.machine_mb() == min(whole, bound or whole)


def test_the_plan_holds_them(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["plan", str(ROOT / "config.yaml")]) == 0
    assert "  memory asked for by a job, at most: estimates of T 2.0 GB, teachers" in capsys.readouterr().out
