"""The inside of the networks of every cell."""

import pandas as pd

from smearlab.core.columns import SPLIT
from smearlab.figures import _cells as cells
from smearlab.report.fields import place, row_label
from smearlab.report.sections._quantities import QUANTITIES, mean, title, values_of
from smearlab.report.table import Field, Table, table
from smearlab.statistics.passed_on import COUNTS
from smearlab.store.tables import METRIC_NUMBERS, NUMBER_KEYS, Tables

MOST_CELLS = 400
TITLES = {"teacher": "Teachers, inside", "student": "Students, inside"}
NAMES = {"teacher": "method", "student": "teacher → student"}
NAMED_ELSEWHERE = {*METRIC_NUMBERS, *NUMBER_KEYS, *COUNTS, *QUANTITIES, "accuracy", "accepted", SPLIT}


def every_cell(tables: Tables) -> list[Table]:
    """Return the means of all quantities for every cell, teachers and students apart; none in a very large grid."""
    metrics = cells.finished(tables.metrics)
    computed = tables.summary[tables.summary["n_finished"] > 0]
    by_role = {role: computed[computed["role"] == role] for role in TITLES}
    return [
        table(TITLES[role], _records(rows, role, metrics))
        for role, rows in by_role.items()
        if 0 < len(rows) <= MOST_CELLS
    ]


def _records(rows: pd.DataFrame, role: str, metrics: pd.DataFrame) -> list[dict[str, Field]]:
    further = _further(metrics)
    return [_row(row, role, values_of(metrics, row["key"], further)) for _, row in rows.iterrows()]


def _further(metrics: pd.DataFrame) -> tuple[str, ...]:
    """Return the measured columns that stand nowhere else on the page, those of a user's own metric among them."""
    numeric = [name for name in metrics.columns if pd.api.types.is_numeric_dtype(metrics[name])]
    return tuple(name for name in numeric if name not in NAMED_ELSEWHERE)


def _row(row: pd.Series, role: str, values: pd.DataFrame) -> dict[str, Field]:
    return {
        **place(row),
        NAMES[role]: Field(row_label(row, role)),
        "n": Field(str(len(values))),
        **{title(column): Field(mean(values[column], column, unit="")) for column in map(str, values)},
    }
