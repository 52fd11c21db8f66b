"""Why cells would be trained again: the change of code behind each."""

from collections import defaultdict
from pathlib import Path

from smearlab.files import read_sealed
from smearlab.grid import Cell, Grid
from smearlab.jobs import training_code_parts, training_job


def explain(grid: Grid) -> list[str]:
    """Return one line for each reason, with the cells it concerns; nothing is run."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            for reason in _reasons(cell, block):
                reasons[reason].append(f"{cell.key}/{block}")
    if not reasons:
        return [f"{grid.name}: every block is trained by the code as it stands"]
    return [
        line
        for reason, blocks in reasons.items()
        for line in (f"{reason}: {len(blocks)} blocks", *(f"    {block}" for block in blocks[:5]), *_more(blocks))
    ]


def _more(blocks: list[str]) -> list[str]:
    return [f"    … and {len(blocks) - 5} more"] if len(blocks) > 5 else []


def _reasons(cell: Cell, block: str) -> list[str]:
    path = Path(cell.folder(block)) / "run.json"
    if not path.exists():
        return ["not trained yet"]
    run = read_sealed(path, "code")
    if run["code"] == training_job(cell, block)["code"]:
        return []
    before, now = run.get("code_parts", {}), training_code_parts(cell)
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return [f"changed: {name}" for name in changed] or ["changed: code"]
