"""What memory the jobs of a grid ask for, and whether as many of them as run at once fit this machine."""

from collections.abc import Callable, Iterator

from smearlab.grid.cells import Cell, Estimate, Grid
from smearlab.grid.resources import evaluation_resources, training_resources

Asked = list[dict[str, int]]  # what the jobs of a stage ask for, as resources has it


def lines(grid: Grid, cores: int, machine_mb: int) -> Iterator[str]:
    """Yield the lines of a plan on memory: what a job of each stage asks for, and whether those at once fit.

    cores: those that the grid is to run on. machine_mb: the memory of the machine, in megabytes.
    """
    stages = {stage: asked for stage, asked in _asked(grid).items() if asked}
    if not stages:
        return
    told = ", ".join(f"{stage} {_gb(max(a['mem_mb'] for a in asked))}" for stage, asked in stages.items())
    yield f"  memory asked for by a job, at most: {told}"
    jobs = {(a["mem_mb"], max(1, cores // a["threads"])) for asked in stages.values() for a in asked}
    each, at_once = max(jobs, key=lambda job: job[0] * job[1])
    if each * at_once <= machine_mb:
        yield f"  {_jobs(at_once)} on {_cores(cores)}: {_gb(each * at_once)}, fit this machine's {_gb(machine_mb)}"
        return
    largest = max(mem for mem, _ in jobs)
    does = f"{_jobs(at_once)} on {_cores(cores)}: {_gb(each * at_once)}, do not fit this machine's {_gb(machine_mb)}"
    alone = f"; a job alone asks for {_gb(largest)}" if largest > machine_mb else ""
    yield f"  {does}{alone or f'; snakemake --resources mem_mb={machine_mb} starts as many as do'}"


def _asked(grid: Grid) -> dict[str, Asked]:
    """Return what the jobs of each stage ask for at their first attempt."""
    cells = list(grid.cells.values())
    teachers, students = ([cell for cell in cells if cell.role == role] for role in ("teacher", "student"))
    ask: Callable[[Cell | Estimate], dict[str, int]] = training_resources
    return {
        "estimates of T": [ask(estimate) for estimate in grid.estimates.values()],
        "teachers": [ask(cell) for cell in teachers],
        "students": [ask(cell) for cell in students],
        "evaluations": [evaluation_resources(cell) for cell in cells],
    }


def _jobs(n: int) -> str:
    return f"{n} jobs at once" if n > 1 else "one job at a time"


def _cores(n: int) -> str:
    return f"{n} cores" if n > 1 else "one core"


def _gb(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB"
