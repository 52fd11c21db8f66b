"""What a grid has cost: time per stage, speed per recipe, and on which machines. Printed, and kept with a publication.

Nothing else reads a time, so that two runs of a grid give the same files.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from smearlab.figures import _format as text
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import RUN
from smearlab.store.benchmarks import seconds_taken
from smearlab.store.timings import SPEED, read_timings

LOGS = Path("logs")


def stages(grid: Grid) -> list[dict[str, Any]]:
    """Return jobs and wall time per stage, read from the jobs' benchmark files."""
    costs = []
    for stage, files in _benchmarks(grid).items():
        seconds = [s for s in map(seconds_taken, files) if s is not None]
        if files:
            costs.append({"stage": stage, "jobs": len(seconds), "of": len(files), "seconds": sum(seconds)})
    return costs


def _benchmarks(grid: Grid) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {
        "data": [LOGS / "data" / f"{dataset}.tsv" for dataset in grid.datasets],
        "labels": [p for labels in grid.labels.values() for p in (LOGS / "labels" / labels.path).glob("*.tsv")],
        "transition estimates": [LOGS / e.key / f"{b}.tsv" for e in grid.estimates.values() for b in grid.blocks(e)],
    }
    for role in ("teacher", "student"):
        cells = [cell for cell in grid.cells.values() if cell.role == role]
        for stage, base in ((f"{role}s", LOGS), (f"evaluation of {role}s", LOGS / "evaluation")):
            found[stage] = [base / cell.key / f"{block}.tsv" for cell in cells for block in grid.blocks(cell)]
    return found


def speeds(grid: Grid) -> list[dict[str, Any]]:
    """Return networks, median images a second and median training time per recipe, role and machine."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            said = read_timings(Path(RESULTS, cell.key, block, RUN))
            trained = [entry for entry in said.get("replicates", []) if entry.get(SPEED)]
            groups[cell.recipe.name, cell.role, _machine(said)] += trained
    return [
        {
            **dict(zip(("recipe", "role", "machine"), group, strict=True)),
            "networks": len(entries),
            SPEED: median(entry[SPEED] for entry in entries),
            "train_seconds": median(entry["train_seconds"] for entry in entries),
        }
        for group, entries in groups.items()
        if entries
    ]


def _machine(said: dict[str, Any]) -> str:
    """Return the device, processor and instruction set that a block says it was trained on."""
    machine = said.get("machine", {})
    return ", ".join(str(machine[key]) for key in ("device", "processor", "instruction_set") if machine.get(key))


def lines(grid: Grid) -> Iterator[str]:
    """Yield what a grid has cost so far, a line for each stage, then one for each recipe, role and machine."""
    costs = stages(grid)
    everything = {"stage": "all", **{key: sum(cost[key] for cost in costs) for key in ("jobs", "of", "seconds")}}
    yield f"{grid.name}: wall time of the jobs that are done"
    for cost in (*costs, everything):
        jobs = f"{cost['jobs']} of {cost['of']} jobs"
        yield f"  {cost['stage']:<24}{jobs:>18}{text.wall_time(cost['seconds']):>14}"
    for found in speeds(grid):
        yield (
            f"  recipe {found['recipe']}, {found['role']}s, on {found['machine'] or 'a machine that was not noted'}: "
            f"{text.counted(found['networks'], 'network')}, median {found[SPEED]:.0f} images/s and "
            f"{text.wall_time(found['train_seconds'])} of training"
        )
