"""The most suspect labels of a grid, as lines."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import COLLECTED
from smearlab.grid.find import find_grid
from smearlab.store.files import read_sealed

HEADS = [
    *("grid", "data set", "noise", "rate", "n", "wrong", "wrong among the 100 most suspect"),
    *("wrong among as many as are wrong", "AUC"),
]
SHOWN = ("row", "name", "given", "predicted", "score", "agreement", "true")


def lines(grid: Grid, n: int) -> list[str]:
    """Return the n most suspect labels of each noise, and how well the scores find wrong ones where that is known."""
    path = Path(RESULTS) / grid.name / COLLECTED["suspects"]
    found = _read(path)
    if not len(found):
        raise UserError(
            f"{path}: no out-of-sample probabilities; a method with an estimated T makes them, such as "
            "{name: forward, transition: estimated(anchor)}"
        )
    said = {_condition(entry): entry for entry in read_sealed(path.with_name("context.json")).get("suspects", [])}
    groups = found.groupby(["dataset", "noise", "noise_rate", "recipe"], sort=False)
    return [line for key, rows in groups for line in _about(tuple(map(str, key)), rows.head(n), said)] + [
        f"all: {path}"
    ]


def table(which: Sequence[str]) -> list[str]:
    """Return a Markdown table of how well suspects are the wrong labels, a row for each noise of each grid.

    which: names of grids, configs, or folders with suspects_by_noise.csv, as the published ones. Noises of which no
    wrong label is known have no row.
    """
    rows = [cells for name in which for cells in _rows(name)]
    return [f"| {' | '.join(cells)} |" for cells in (HEADS, ["---"] * len(HEADS), *rows)]


def _rows(which: str) -> list[list[str]]:
    folder = Path(which)
    if not folder.is_dir():
        folder = Path(RESULTS) / find_grid(which).name
    found = _read(folder / COLLECTED["suspects_by_noise"])
    return [[folder.name, *_written(row)] for _, row in found[found["auc"] != ""].iterrows()]


def _written(row: pd.Series) -> list[str]:
    shares = (f"{100 * float(row[name]):.1f} %" for name in ("share_wrong", "precision_at_100", "precision_at_wrong"))
    rate = f"{100 * float(row['noise_rate']):.0f} %" if row["noise_rate"] else ""
    noise = row["noise"] if row["noise"] == row["kind"] else f"{row['noise']} ({row['kind']})"
    return [row["dataset"], noise, rate, row["n"], *shares, f"{float(row['auc']):.2f}"]


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise UserError(f"{path} is not there: run the grid first")
    return pd.read_csv(path, keep_default_na=False, dtype=str)


def _condition(entry: dict[str, object]) -> tuple[str, ...]:
    rate = entry["noise_rate"]
    return tuple(
        "" if value is None else str(value) for value in (entry["dataset"], entry["noise"], rate, entry["recipe"])
    )


def _about(key: tuple[str, ...], rows: pd.DataFrame, said: dict[tuple[str, ...], dict[str, object]]) -> list[str]:
    shown = rows[[column for column in SHOWN if (rows[column] != "").any()]]
    head = ", ".join(value for value in key if value)
    known = said.get(key, {})
    if known.get("auc") is not None:
        head += f": of the 100 most suspect {known['precision_at_100']:.0%} are wrong, AUC {known['auc']:.2f}"
    return [head, *(f"  {line}" for line in shown.to_string(index=False).splitlines())]
