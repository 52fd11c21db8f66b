"""The variance split and the α × rate interaction, where the grid's design allows them."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import count, number_of, place, text_of, words
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import Tables


def spread(tables: Tables) -> list[Table]:
    """Return a table for each of the two that has a row."""
    found = []
    if len(rows := _known(tables.variance, "std_labels")):
        found.append(table("Label luck and training luck", [_variance_row(row) for _, row in rows.iterrows()]))
    if len(rows := _known(tables.interaction, "slope")):
        found.append(table("Does the gain grow with the rate?", [_interaction_row(row) for _, row in rows.iterrows()]))
    return found


def _known(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame[frame[column].notna()] if len(frame) else frame


def _variance_row(row: pd.Series) -> dict[str, Field]:
    return {
        "role": Field(text_of(row["role"])),
        **place(row),
        "method": Field(_label(row)),
        "noise seeds × seeds": Field(f"{number_of(row['n_noise_seeds']):.0f} × {number_of(row['n_seeds']):.0f}"),
        "sd from labels, points": Field(text.size(number_of(row["std_labels"]))),
        "sd from training, points": Field(text.size(number_of(row["std_training"]))),
        "rest, points": Field(text.size(number_of(row["std_residual"]))),
    }


def _label(row: pd.Series) -> str:
    prefix = "teacher_" if row["role"] == "student" else ""
    texts = {f"{prefix}{key}": text_of(row[f"{prefix}{key}"]) for key in ("method", "transition", "options")}
    label = text.method_label({**texts, f"{prefix}alpha": number_of(row[f"{prefix}alpha"])}, prefix)
    return f"student of {label}" if prefix else label


def _interaction_row(row: pd.Series) -> dict[str, Field]:
    low, high = (end / 10 for end in cells.ends_beside(row))
    return {
        "data set": Field(text_of(row["dataset"])),
        "noise": words(row["noise"]),
        "recipe": Field(text_of(row["recipe"])),
        "α": Field(text.plain(number_of(row["alpha"]), 3)),
        "rates": Field(text_of(row["rates"])),
        "n": count(number_of(row["n"])),
        "gain per 10 points of rate": Field(text.points(number_of(row["slope"]) / 10, 2)),
        "95 % interval": Field(text.interval(low, high)),
        "p (Holm)": Field(text.p_value(number_of(row["p_holm"]))),
        "finding": Field(text_of(row["verdict"])),
    }
