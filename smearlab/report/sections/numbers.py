"""All cells with all their numbers."""

import math

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import chip, count, mean_sd, place
from smearlab.report.primary import is_flagged
from smearlab.report.sections._unequal import by_class
from smearlab.report.table import Field, Table, table
from smearlab.statistics.verdict import MISSING
from smearlab.store.measure import PLAIN
from smearlab.store.tables import Tables

TITLES = {"teacher": "Teachers", "student": "Students"}
MEASURES = {
    "memorised": "memorised",
    "recovered": "recovered",
    "test_nll": "NLL",
    "test_brier": "Brier",
    "test_ece": "ECE",
    "test_ece_floor": "floor of ECE",
    "test_accuracy_selected": "at selected checkpoint",
    "test_accuracy_label_wave": "at Label Wave's checkpoint",
    "best_on_test_accuracy": "best on test (diagnosis)",
}
UNBALANCED = {  # beside a measure in which every class counts the same, and where classes are of unequal size
    "test_lowest_recall": "recall of the worst class",
    "test_majority_share": "share of the largest class",
}
NO_SHARES = ("NLL", "Brier")


def numbers(tables: Tables) -> list[Table]:
    """Return a row per cell, teachers and students apart."""
    other = {PLAIN: "accuracy"} if PLAIN in tables.metrics else {"test_balanced_accuracy": "balanced accuracy"}
    measures = {**MEASURES, **other, **UNBALANCED} if by_class(tables) else MEASURES
    means = cells.finished(tables.metrics).groupby("key")[list(measures)].mean().rename(columns=measures)
    by_role = {role: tables.summary[tables.summary["role"] == role] for role in TITLES}
    return [
        table(TITLES[role], [_row(row, role, means, tables.measure) for _, row in rows.iterrows()])
        for role, rows in by_role.items()
        if len(rows)
    ]


def _row(row: pd.Series, role: str, means: pd.DataFrame, measure: str) -> dict[str, Field]:
    is_student = role == "student"
    return {
        **place(row),
        **(_student(row) if is_student else {"method": Field(text.method_label(row))}),
        **_comparison(row, measure),
        **(_further_comparisons(row) if is_student else {}),
        **{name: _measure(name, means[name].get(row["key"], math.nan)) for name in map(str, means)},
        "could find": Field(text.size(row["detectable"])),
        "replicates for the margin": count(row["replicates_for_margin"]),
    }


def _student(row: pd.Series) -> dict[str, Field]:
    return {
        "teacher": Field(text.method_label(row, "teacher_")),
        "student": Field(text.student_label(row)),
        "view": Field(row["view"]),
    }


def _comparison(row: pd.Series, measure: str) -> dict[str, Field]:
    return {
        "n": Field(f"{row['n_finished']:.0f}" + (f" of {row['n']:.0f}" if row["n_diverged"] > 0 else "")),
        f"{measure}, %": mean_sd(row["mean"], row["std"]),
        "difference": Field(text.points(row["difference"])),
        "95 % interval": Field(text.interval(*cells.ends_beside(row))),
        "with examples drawn": Field(text.interval(row["ci_low_examples"], row["ci_high_examples"])),
        "p": Field(text.p_value(row["p_value"])),
        "p (Holm)": Field(text.p_value(row["p_holm"]), note="headline" if is_flagged(row.get("primary", "")) else ""),
        "verdict": chip(row["verdict"] or MISSING),
    }


def _further_comparisons(row: pd.Series) -> dict[str, Field]:
    return {
        "to its teacher": Field(text.points(row["difference_to_teacher"])),
        "to plain": Field(text.points(row["difference_to_plain"])),
    }


def _measure(name: str, value: float) -> Field:
    if math.isnan(value):
        return Field(text.DASH)
    return Field(f"{value:.3f}" if name in NO_SHARES else text.percent(value))
