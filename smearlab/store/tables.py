"""The tables of one grid, as read from its folder under results/, in one regular form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.errors import UserError
from smearlab.store.files import check_files, read_sealed
from smearlab.store.measure import ACCURACY, NAMES, judged_by
from smearlab.store.registered import NAME, read_stamps

FINISHED, DIVERGED = "finished", "diverged"  # the statuses of a network
CONDITION = ["dataset", "noise", "recipe"]
CELL = [name for name in columns.NAMES if name != "arch"]  # which follows from the recipe
TEXT_KEYS = [name for name in columns.names(columns.METRICS, type=columns.TEXT) if name in CELL]
NUMBER_KEYS = [name for name in columns.numbers(columns.METRICS) if name in CELL]
METRIC_NUMBERS = columns.numbers(columns.METRICS, columns.REPLICATE, columns.MEASURED)
SUMMARY_NUMBERS = columns.numbers(columns.SUMMARY)
SUMMARY_TEXTS = columns.names(columns.SUMMARY, type=columns.TEXT)
HISTORY_NUMBERS = columns.numbers(columns.HISTORY)
NamedRow = Mapping[str, Any] | pd.Series  # one row of a table, by the names of its columns
STATISTICS = (
    "variance",
    "interaction",
    "choice",
    "passed_on",
    "stopping",
    "mitigation",
    "rivals",
    "own_treatment",
    "robustness",
    "pooled",
    "reference",
)


@dataclass(frozen=True)
class Long:
    """A table with many rows for each cell, in memory or in a Parquet file of which only what is asked for is read."""

    source: pd.DataFrame | Path
    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    def where(self, **equal: str) -> pd.DataFrame:
        """Return the rows in which columns have these values (all rows for none), in the regular form."""
        return regular(self._rows(equal), self.numbers, self.texts, keys=False)

    def _rows(self, equal: dict[str, str]) -> pd.DataFrame:
        if isinstance(self.source, Path):
            filters = [(column, "==", value) for column, value in equal.items()] or None
            return pd.read_parquet(self.source, filters=filters) if self.source.is_file() else pd.DataFrame()
        found = self.source
        for column, value in equal.items():
            found = found[found[column] == value] if column in found else found
        return found


@dataclass(frozen=True)
class Tables:
    """All that figures and report read: a row per replicate, per cell, per epoch, per curve point.

    In every frame texts that do not apply are "" and numbers that do not apply are NaN. `metrics` also has
    `accuracy`: the test accuracy, or the accuracy on noisy test labels for data sets without clean ones. Where the
    config names another measure, this and the columns of store/measure.py are by that measure.
    `key` in metrics and summary is equal in rows of the same named cell, `cell` in all frames in rows of the
    same computation; `n_finished` in summary is n without those that diverged. `curves` is long: cell,
    noise_seed, seed, curve (its name), point, quantity, value. `reference` holds the published
    numbers that cells match, STATISTICS names the further statistics; empty where they were not made. `registrations`:
    the terms of the grid as they were stamped, oldest first.
    """

    metrics: pd.DataFrame
    summary: pd.DataFrame
    long_history: Long
    long_curves: Long
    config: dict[str, Any]
    context: dict[str, Any]
    variance: pd.DataFrame = field(default_factory=pd.DataFrame)
    interaction: pd.DataFrame = field(default_factory=pd.DataFrame)
    choice: pd.DataFrame = field(default_factory=pd.DataFrame)
    passed_on: pd.DataFrame = field(default_factory=pd.DataFrame)
    stopping: pd.DataFrame = field(default_factory=pd.DataFrame)
    mitigation: pd.DataFrame = field(default_factory=pd.DataFrame)
    rivals: pd.DataFrame = field(default_factory=pd.DataFrame)
    own_treatment: pd.DataFrame = field(default_factory=pd.DataFrame)
    robustness: pd.DataFrame = field(default_factory=pd.DataFrame)
    pooled: pd.DataFrame = field(default_factory=pd.DataFrame)
    reference: pd.DataFrame = field(default_factory=pd.DataFrame)
    registrations: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def history(self) -> pd.DataFrame:
        """The whole history; a large grid's takes its memory, and `history_of` is enough for a figure."""
        return self.long_history.where()

    @cached_property
    def curves(self) -> pd.DataFrame:
        """All curves; likewise."""
        return self.long_curves.where()

    def history_of(self, cell: str) -> pd.DataFrame:
        """Return the history of one computation: a row per replicate and epoch."""
        return self.long_history.where(cell=cell)

    @property
    def measure(self) -> str:
        """What the grid is judged by, in words."""
        return NAMES[self.config.get("measure", ACCURACY)]

    def curve(self, name: str, cell: str) -> pd.DataFrame:
        """Return one curve of one computation: a row per replicate and point, its quantities as columns."""
        found = self.long_curves.where(cell=cell, curve=name)
        if not len(found):
            return pd.DataFrame()
        wide = found.set_index(["noise_seed", "seed", "point", "quantity"])["value"].unstack("quantity")
        return wide.reset_index()


def read_tables(folder: str | Path) -> Tables:
    """Read metrics.parquet, summary.csv, context.json, and what there is of the other tables, of one grid.

    History, curves and the further statistics may be absent (a grid that is not far yet). Raises UserError for
    a folder without tables, and for a table that is not the one that was written.
    """
    folder = Path(folder)
    for name in ("metrics.parquet", "summary.csv", "context.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is not there: run the grid, or `make report`, first")
    context = read_sealed(folder / "context.json")
    check_files(folder, context.get("sha256", {}), "context.json")
    if (folder / "summary.json").is_file():
        check_files(folder, read_sealed(folder / "summary.json", "sha256")["sha256"], "summary.json")
    tables = make_tables(
        metrics=pd.read_parquet(folder / "metrics.parquet"),
        summary=read_csv(folder / "summary.csv"),
        history=folder / "history.parquet",
        curves=folder / "curves.parquet",
        context=context,
        **{name: read_csv(folder / f"{name}.csv") for name in STATISTICS},
    )
    return replace(tables, registrations=read_stamps(folder / NAME))


def make_tables(
    *,
    metrics: pd.DataFrame,
    summary: pd.DataFrame,
    history: pd.DataFrame | Path,
    curves: pd.DataFrame | Path,
    context: dict[str, Any],
    **statistics: pd.DataFrame,
) -> Tables:
    """Bring the frames into the regular form and join them with the grid's context.

    history and curves may be Parquet files, which are read when they are asked for.
    """
    config = context.get("config", {})
    metrics = judged_by(metrics, config.get("measure", ACCURACY))
    metrics = regular(metrics, METRIC_NUMBERS, [*TEXT_KEYS, "arch", "status", "reason", "device", "precision", "cell"])
    summary = regular(summary, SUMMARY_NUMBERS, [*TEXT_KEYS, *SUMMARY_TEXTS])
    finished = (summary["n"].fillna(0) - summary["n_diverged"].fillna(0)).clip(lower=0)
    return Tables(
        metrics=metrics.assign(accuracy=_accuracy(metrics), key=cell_keys(metrics)),
        summary=summary.assign(n_finished=finished, key=cell_keys(summary)),
        long_history=Long(history, HISTORY_NUMBERS, ("cell",)),
        long_curves=Long(curves, ("noise_seed", "seed", "point", "value"), ("cell", "curve", "quantity")),
        config=config,
        context=context,
        registrations=[],
        **statistics,
    )


def regular(frame: pd.DataFrame, numbers: Iterable[str], texts: Iterable[str], *, keys: bool = True) -> pd.DataFrame:
    """Return the frame with all expected columns: texts without nulls, numbers as float64 with NaN."""
    frame = frame.reset_index(drop=True).copy()
    for column in texts:
        values = frame[column] if column in frame else pd.Series("", index=frame.index)
        frame[column] = values.astype(object).where(values.notna(), "").astype(str)
    for column in [*(NUMBER_KEYS if keys else []), *numbers]:
        values = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
        frame[column] = pd.to_numeric(values, errors="coerce").astype("Float64").to_numpy(float, na_value=np.nan)
    return frame


def cell_keys(frame: pd.DataFrame) -> pd.Series:
    """Return one text per row that names its cell: rows of different tables with equal texts belong together."""
    if not len(frame):
        return pd.Series([], dtype=str)
    first, *others = CELL
    return frame[first].map(str).str.cat(frame[others].map(str), sep="\x1f")


def read_csv(path: Path) -> pd.DataFrame:
    """Return a table of a grid; empty where it is absent. Texts stay texts: a transition `true` is no truth value."""
    if not path.is_file():
        return pd.DataFrame()
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(TEXT_KEYS, str))


def _accuracy(metrics: pd.DataFrame) -> pd.Series:
    clean_known = metrics["test_accuracy"].notna().groupby(metrics["dataset"]).transform("any").astype(bool)
    return metrics["test_accuracy"].where(clean_known, metrics["test_accuracy_noisy"])
