"""The tables of a paper: methods in rows, noise in columns; accuracies, and differences with their verdicts."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import row_label
from smearlab.report.sections.numbers import numbers
from smearlab.report.table import Field, Table, wide_table
from smearlab.statistics import verdict as verdicts
from smearlab.store.tables import CONDITION, Tables

MARKS = {verdicts.HELPS: "✓", verdicts.HURTS: "✗", verdicts.NO_DIFFERENCE: "=", verdicts.IDENTICAL: "="}
MEANING = "✓ helps, ✗ hurts, = no practical difference, no mark: not decided"
ROLES = {"teacher": "Methods", "student": "Students, by their teacher's method"}


@dataclass(frozen=True)
class Named:
    """A table with the name of its file."""

    name: str
    table: Table


def paper_tables(tables: Tables) -> list[Named]:
    """Return for each role the accuracies and the differences by method and noise, and the table of all cells."""
    found = [
        Named(f"{what}-{role}s", made)
        for role in ROLES
        for what, made in (
            ("accuracy", accuracies(tables.summary, role)),
            ("difference", differences(tables.summary, role)),
        )
        if made is not None
    ]
    return found + [Named(f"all-{table.title.lower()}", table) for table in numbers(tables)]


def accuracies(summary: pd.DataFrame, role: str) -> Table | None:
    """Return mean ± standard deviation over replicates, in percent, by method and noise; None for an absent role."""
    return _by_noise(summary, role, f"{ROLES[role]}: test accuracy in %, mean ± standard deviation", _accuracy)


def differences(summary: pd.DataFrame, role: str) -> Table | None:
    """Return the paired difference to the baseline in points, its 95 % interval and the verdict's mark."""
    title = f"{ROLES[role]}: difference to the baseline in points (95 % interval); {MEANING}"
    return _by_noise(summary, role, title, difference)


def _by_noise(summary: pd.DataFrame, role: str, title: str, field: Callable[[pd.Series], str]) -> Table | None:
    rows = summary[summary["role"] == role]
    if not len(rows):
        return None
    everywhere = cells.conditions(rows)
    columns = {_column(row, everywhere): None for _, row in rows.iterrows()}
    found: dict[str, dict[str, Field]] = {}
    for _, row in rows.iterrows():
        found.setdefault(row_label(row, role), {})[_column(row, everywhere)] = Field(field(row))
    records = [
        {"method": Field(label), **{column: fields.get(column, Field("")) for column in columns}}
        for label, fields in found.items()
    ]
    counts = rows["n_finished"]
    n = f"n = {counts.min():.0f}" if counts.min() == counts.max() else f"n = {counts.min():.0f} to {counts.max():.0f}"
    return wide_table(f"{title} ({n})", records, ["", *("num" for _ in columns)])


def _column(row: pd.Series, everywhere: list[tuple[str, str, str]]) -> str:
    """Return a column's head: the rate, before it what distinguishes its data set, noise and recipe."""
    name = cells.condition_name(tuple(row[CONDITION]), everywhere)
    return f"{name.replace('_', ' ')} {text.rate(row['noise_rate'])}".strip()


def _accuracy(row: pd.Series) -> str:
    if math.isnan(row["mean"]):
        return verdicts.DIVERGED if row["n_diverged"] > 0 else text.DASH
    spread = "" if math.isnan(row["std"]) else f" ± {100 * row['std']:.2f}"
    return f"{100 * row['mean']:.2f}{spread}"


def difference(row: pd.Series) -> str:
    """Return a cell's difference to its baseline with interval and mark; the accuracy of a baseline itself."""
    if row["verdict"] == verdicts.BASELINE:
        return text.percent(row["mean"])
    if row["verdict"] == verdicts.DIVERGED:
        return f"diverged ({row['n_diverged']:.0f} of {row['n']:.0f})"
    if math.isnan(row["difference"]):
        return text.DASH
    interval = "" if math.isnan(row["ci_low"]) else f" ({text.interval(row['ci_low'], row['ci_high'])})"
    return f"{text.points(row['difference'])}{interval} {MARKS.get(row['verdict'], '')}".strip()
