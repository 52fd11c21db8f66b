"""Recall of each class, beside the share of the class: where classes do not count by their size."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import place, row_label
from smearlab.report.sections._unequal import by_class, unequal
from smearlab.report.table import Field, Table, table
from smearlab.store.measure import PLAIN
from smearlab.store.tables import Tables

MOST_CLASSES = 10


def class_recalls(tables: Tables) -> list[Table]:
    """Return for each data set a row per cell with its mean recall of each class; [] where accuracy says enough.

    Of many classes the smallest are shown. A data set without true test labels has no table.
    """
    if not by_class(tables):
        return []
    computed = cells.finished(tables.metrics).groupby("key")["cell"].first()
    rows: dict[str, list[dict[str, Field]]] = {}
    shown = (
        tables.summary if PLAIN in tables.metrics else tables.summary[tables.summary["dataset"].isin(unequal(tables))]
    )
    for _, row in shown.iterrows():
        found = tables.curve("class_recall", computed.get(row["key"], ""))
        if len(found):
            names = tables.context.get("datasets", {}).get(row["dataset"], {}).get("class_names") or []
            rows.setdefault(row["dataset"], []).append(_row(row, found, [str(name) for name in names]))
    note = "Means over replicates on true test labels, in percent; in brackets the share of the class."
    return [table(f"{dataset}, judged by {tables.measure}", of, note) for dataset, of in rows.items()]


def _row(row: pd.Series, found: pd.DataFrame, names: list[str]) -> dict[str, Field]:
    classes = found.groupby("point")[["recall", "count"]].mean()
    classes = classes[classes["count"] > 0].nsmallest(MOST_CLASSES, "count").sort_index()
    total = found.groupby("point")["count"].first().sum()
    places, shares = classes.index.astype(int), classes["count"] / total
    recalls = {
        _title(k, names, share): Field(text.percent(recall))
        for k, share, recall in zip(places, shares, classes["recall"], strict=True)
    }
    return {**place(row), "method": Field(row_label(row, row["role"])), **recalls}


def _title(k: int, names: list[str], share: float) -> str:
    return f"{names[k] if k < len(names) else k} ({text.percent(share)})"
