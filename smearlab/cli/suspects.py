"""The most suspect labels of a grid, as lines."""

from pathlib import Path

import pandas as pd

from smearlab.core.errors import UserError
from smearlab.grid.cells import RESULTS, Grid
from smearlab.grid.dag import COLLECTED
from smearlab.store.files import read_sealed

SHOWN = ("row", "name", "given", "predicted", "score", "agreement", "true")


def lines(grid: Grid, n: int) -> list[str]:
    """Return the n most suspect labels of each noise, and how well the scores find wrong ones where that is known."""
    path = Path(RESULTS) / grid.name / COLLECTED["suspects"]
    if not path.is_file():
        raise UserError(f"{path} is not there: run the grid first")
    found = pd.read_csv(path, keep_default_na=False, dtype=str)
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
