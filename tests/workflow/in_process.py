"""All stages of a grid in this process, in the working folder: what Snakemake would run, without its start-up times."""

import importlib
from pathlib import Path
from typing import Any, get_type_hints

from smearlab.core.jobs import plain, typed
from smearlab.grid.cells import RESULTS, load_grid
from smearlab.grid.dag import STAGES, Stage, Subject
from smearlab.store.tables import Tables, read_tables


def run_grid(content: dict[str, Any]) -> Tables:
    """Compute a grid and return its tables; the page is reports/<name>.html."""
    grid = load_grid(content)
    for stage in STAGES.values():
        for subject in stage.subjects(grid):
            run_stage(stage, subject, content)
    return read_tables(Path(RESULTS) / grid.name)


def run_stage(stage: Stage, subject: Subject, content: dict[str, Any]) -> None:
    """Run one job as Snakemake hands it over: its decisions as plain values, its files as plain paths."""
    run = importlib.import_module(f"smearlab.stages.{stage.rule}").run
    job = typed(get_type_hints(run)["job"], plain(stage.job(subject)))
    inputs = {name: _paths(value) for name, value in stage.reads(subject).items()}
    missing = [path for value in inputs.values() for path in _each(value) if not Path(path).exists()]
    assert not missing, f"{stage.rule} reads what no stage before it has made: {missing}"
    outputs = stage.outputs(stage.place(subject))
    run(job, {**inputs, "config": content}, outputs)
    assert all(Path(path).exists() for path in outputs.values()), f"{stage.rule} has not made all of its files"


def _paths(value: str | list[str]) -> str | list[str]:
    return str(value) if isinstance(value, str) else [str(path) for path in value]


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
