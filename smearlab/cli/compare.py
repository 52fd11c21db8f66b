"""Two finished grids, by name or as folders of tables, and the page that sets them beside each other."""

from pathlib import Path

import pandas as pd

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS
from smearlab.grid.load import parse, read_config
from smearlab.report.compare import Side, write_comparison
from smearlab.report.moved import moved
from smearlab.store.files import read_json
from smearlab.store.tables import Tables, make_tables, read_csv, read_tables

NEEDED = ("metrics.csv", "summary.csv", "config.yaml")


def compare(first: str, second: str, out: str | None = None) -> tuple[Path, str]:
    """Write the page of two grids and return its path, and in a sentence how far two runs of one grid are apart ("" for
    grids that share no computation); UserError for one without tables, and for twice the same.
    """
    sides = [_side(name) for name in (first, second)]
    if Path(first).resolve() == Path(second).resolve():
        raise UserError(f"compare: {first} and {second} are the same; name two grids")
    names = [side.name for side in sides]
    if names[0] == names[1]:  # the same grid in two places, e.g. as published and as it is now
        sides = [Side(str(given), side.tables) for given, side in zip((first, second), sides, strict=True)]
    path = Path(out) if out else Path("reports") / f"{'-'.join(names)}.html"
    write_comparison(sides[0], sides[1], path)
    again = moved(sides[0].tables.summary, sides[1].tables.summary)
    return path, again.sentence if again else ""


def _side(name: str) -> Side:
    """Return a grid's tables: results/NAME/, or a folder as `publish` writes it."""
    own = Path(RESULTS, name)
    if "/" not in name and (own / "summary.csv").is_file():
        return Side(name, read_tables(own))
    folder = Path(name)
    if not folder.is_dir():
        raise UserError(f"compare: {name}: neither a finished grid ({own} has no tables) nor a folder of tables")
    if (folder / "context.json").is_file():
        return Side(folder.name, read_tables(folder))
    if missing := [file for file in NEEDED if not (folder / file).is_file()]:
        raise UserError(f"compare: {folder}: has no {', '.join(missing)}; needed are {', '.join(NEEDED)}")
    return Side(folder.name, _published(folder))


def _published(folder: Path) -> Tables:
    config = parse(read_config(folder / "config.yaml")).model_dump()
    further = {name: read_csv(folder / f"{name}.csv") for name in ("mitigation", "stopping")}
    return make_tables(
        metrics=read_csv(folder / "metrics.csv"),
        summary=read_csv(folder / "summary.csv"),
        history=pd.DataFrame(),
        curves=pd.DataFrame(),
        context={"config": config, **(read_json(made) if (made := folder / "made-with.json").is_file() else {})},
        **further,
    )
