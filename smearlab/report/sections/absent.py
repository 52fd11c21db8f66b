"""What is not there: cells that wait, and networks that diverged, with the reason."""

from typing import Any

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.report.fields import count, number_of, place, row_label
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import NUMBER_KEYS, Tables

MOST_ABSENT = 200
TEXTS = (
    *("method", "transition", "options", "teacher_method", "teacher_transition", "teacher_options"),
    *("dataset", "noise", "recipe", "role", "student_labels"),
)


def absent(tables: Tables) -> list[Table]:
    """Return the missing cells and the diverged networks, each where there are any."""
    return [*_missing(tables.context.get("missing", [])), *_diverged(cells.diverged(tables.metrics))]


def _missing(entries: list[dict[str, Any]]) -> list[Table]:
    if not entries:
        return []
    note = f"The first {MOST_ABSENT} of {len(entries)}." if len(entries) > MOST_ABSENT else ""
    return [table(f"Missing ({len(entries)})", [_missing_row(entry) for entry in entries[:MOST_ABSENT]], note)]


def _missing_row(entry: dict[str, Any]) -> dict[str, Field]:
    texts = {key: entry.get(key) or "" for key in TEXTS}
    row = pd.Series(texts | {key: number_of(entry.get(key)) for key in NUMBER_KEYS})
    block = {"block": Field(str(entry["block"]))} if entry.get("block") else {}
    return {**_where(row), **block, "why": Field(str(entry.get("why", "")))}


def _diverged(rows: pd.DataFrame) -> list[Table]:
    if not len(rows):
        return []
    records = [
        {**_where(row), "seed": count(row["seed"]), "why": Field(row["reason"])}
        for _, row in rows.head(MOST_ABSENT).iterrows()
    ]
    return [table(f"Diverged ({len(rows)})", records)]


def _where(row: pd.Series) -> dict[str, Field]:
    return {"role": Field(row["role"]), **place(row), "method": Field(row_label(row, row["role"]))}
