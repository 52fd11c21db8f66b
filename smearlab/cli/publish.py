"""A finished run as something to commit: its page, its numbers, its config and the code it was made with."""

import shutil
from pathlib import Path

from smearlab.cli.cost import speeds, stages
from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import COLLECTED, SUMMARISED
from smearlab.store.files import check_files, read_sealed, write_json

PUBLISHED = Path("reports") / "published"
TABLES = (COLLECTED["csv"], COLLECTED["suspects_by_noise"], *(t for t in SUMMARISED.values() if t.endswith(".csv")))
BEHIND = (COLLECTED["correct"], COLLECTED["gold"])  # of single examples: intervals over them follow from it
KEPT = ("code_version", "environment", "datasets", "accepted")


def publish(grid: Grid, config: Path, *, results: Path = Path(RESULTS), reports: Path = Path("reports")) -> Path:
    """Copy a grid's report, tables and config to reports/published/<name>/; UserError if something is not there.

    made-with.json says with what it was made, and what it has cost.
    """
    name = grid.name
    context = _context(results / name / "context.json")
    check_files(results / name, context.get("sha256", {}), "context.json")
    folder = PUBLISHED / name
    sources = {
        "report.html": reports / f"{name}.html",
        "config.yaml": config,
        **{table: results / name / table for table in (*TABLES, *BEHIND)},
    }
    for source in sources.values():
        if not source.exists():
            raise UserError(f"publish {name}: {source} is not there; run the grid first")
    folder.mkdir(parents=True, exist_ok=True)
    for target, source in sources.items():
        shutil.copyfile(source, folder / target)
    made = {**{k: context[k] for k in KEPT}, "cost": stages(grid), "speed": speeds(grid)}
    write_json(folder / "made-with.json", {**made, "missing": len(context["missing"])})
    return folder


def _context(path: Path) -> dict:
    if not path.is_file():
        raise UserError(f"publish: {path} is not there; run the grid first")
    return read_sealed(path, *KEPT, "missing")
