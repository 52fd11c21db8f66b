"""Fields that several tables of the page share: verdict chips, places, names, numbers that may be null."""

import math
from typing import Any

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.table import Field
from smearlab.statistics import verdict as verdicts
from smearlab.store.tables import NamedRow

OPEN = "open"
CHIPS = {
    **{word: word for word in (verdicts.HELPS, verdicts.HURTS, verdicts.IDENTICAL)},
    **{word: word for word in (verdicts.DIVERGED, verdicts.MISSING, verdicts.BASELINE)},
    verdicts.NO_DIFFERENCE: "same",
    **dict.fromkeys(verdicts.OPEN, OPEN),
    verdicts.NO_BASELINE: OPEN,
}
"""The slug of each verdict: the class of its chip in style.css."""


def chip(verdict: str, note: str = "") -> Field:
    """Return a verdict as a chip."""
    return Field(verdict, CHIPS.get(verdict, OPEN), note)


def place(row: NamedRow) -> dict[str, Field]:
    """Return the fields that say where a row's numbers come from, with which most tables begin."""
    return {**noise(row), "recipe": Field(text_of(row["recipe"]))}


def noise(row: NamedRow) -> dict[str, Field]:
    """Return the fields of a row's data set, noise and rate."""
    return {
        "data set": Field(text_of(row["dataset"])),
        "noise": words(row["noise"]),
        "rate": Field(text.rate(number_of(row["noise_rate"]))),
    }


def words(value: Any) -> Field:
    """Return a name with spaces for its underscores."""
    return Field(text_of(value).replace("_", " "))


def row_label(row: pd.Series, role: str) -> str:
    """Return a cell's name in a table: the method, and for a student its teacher and its own settings."""
    if role == "teacher":
        return text.method_label(row)
    return f"{text.method_label(row, 'teacher_')} → {text.student_label(row)}"


def text_of(value: Any) -> str:
    """Return a text; "" for a null of any kind."""
    return "" if pd.isna(value) else str(value)


def number_of(value: Any) -> float:
    """Return a number; NaN for a null of any kind."""
    return math.nan if pd.isna(value) else float(value)


def mean_sd(mean: float, sd: float) -> Field:
    """Return a mean of shares in percent with its standard deviation where there is one: 87.12 ± 0.41."""
    if math.isnan(mean):
        return Field(text.DASH)
    return Field(f"{100 * mean:.2f}" if math.isnan(sd) else f"{100 * mean:.2f} ± {100 * sd:.2f}")


def count(value: float) -> Field:
    """Return a whole number; a dash for NaN."""
    return Field(text.DASH if math.isnan(value) else f"{value:.0f}")
