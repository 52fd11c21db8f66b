"""Every single network of a small grid."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.fields import count, place, row_label
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import Tables

MOST_NETWORKS = 400


def single_networks(tables: Tables) -> Table | None:
    """Return a row per network, for grids small enough; the others have metrics.csv."""
    metrics = tables.metrics
    if not 0 < len(metrics) <= MOST_NETWORKS:
        return None
    return table("Single networks", [_row(row) for _, row in metrics.iterrows()])


def _row(row: pd.Series) -> dict[str, Field]:
    return {
        "role": Field(row["role"]),
        **place(row),
        "method": Field(row_label(row, row["role"])),
        "noise seed": count(row["noise_seed"]),
        "seed": count(row["seed"]),
        "status": Field(row["status"]),
        "realised rate": Field(text.percent(row["realised_noise_rate"], 2)),
        "accuracy": Field(text.percent(row["accuracy"], 2)),
        "memorised": Field(text.percent(row["memorised"])),
    }
