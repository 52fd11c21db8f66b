"""Smoothing, or just stopping? What cross-entropy gains by stopping early, beside every method at its last epoch."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.fields import chip, count, number_of, place, row_label, text_of
from smearlab.report.phrases import place_name
from smearlab.report.primary import primary_rows
from smearlab.report.table import Field, Table, table
from smearlab.statistics.verdict import DIVERGED, HELPS, HURTS, NO_DIFFERENCE
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, Tables, cell_keys, regular

NUMBERS = (
    *("n", "mean", "mean_stopped", "difference", "ci_low", "ci_high", "p_value", "p_holm"),
    *("ci_low_simultaneous", "ci_high_simultaneous"),
)
BY = {"selected": "on noisy validation labels", "label_wave": "by Label Wave"}
BEATS = {
    HELPS: "is better than",
    HURTS: "is worse than",
    NO_DIFFERENCE: "makes no practical difference to",
}


def stopping(tables: Tables) -> Table | None:
    """Return a row for each teacher cell: cross-entropy stopped early against it; None where nothing was measured."""
    rows = _rows(tables)
    if not len(rows):
        return None
    return table("Cross-entropy stopped early against every method at its last epoch", [*map(_row, _each(rows))])


def sentences(tables: Tables, known: Facts) -> list[str]:
    """Say, for the headline at its highest rate, whether stopping cross-entropy early does as much."""
    rows = _rows(tables)
    if not len(rows):
        return []
    headline = primary_rows(tables.summary, known)
    noisy = headline[headline["noise_rate"] != 0]
    last = rows[rows["key"].isin(cell_keys(noisy).iloc[-1:])]
    return [_sentence(row, rows[rows["rule"] == row["rule"]]) for row in _each(last)]


def _rows(tables: Tables) -> pd.DataFrame:
    found = tables.stopping
    if not len(found):
        return found
    rows = regular(found.assign(role="teacher"), [*NUMBER_KEYS, *NUMBERS], [*TEXT_KEYS, "rule", "verdict", "note"])
    return rows.assign(key=cell_keys(rows))


def _each(rows: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in rows.iterrows()]


def _sentence(row: pd.Series, rows: pd.DataFrame) -> str:
    there = cells.at_place(rows[rows["method"] == cells.PLAIN], row)
    gain = "".join(f" {_evidence(plain)} against its own last epoch, and" for plain in _each(there))
    opening = f"On {place_name(row)}, cross-entropy stopped early {BY[row['rule']]}"
    if row["verdict"] == DIVERGED:
        why = row["note"].removeprefix(f"{DIVERGED}: ")
        return f"{opening} is not compared with {text.method_phrase(row)}, because training diverged ({why})."
    if not row["n"] > 0:
        return f"{opening} has no replicate in common with {text.method_phrase(row)}, so is not compared with it."
    return (
        f"{opening} stands{gain} {_evidence(row)} against {text.method_phrase(row)} at its last epoch: stopping alone "
        f"{BEATS.get(row['verdict'], 'is not told apart from')} it."
    )


def _evidence(row: pd.Series) -> str:
    interval = text.interval(*cells.ends_beside(row))
    ends = "" if interval == text.DASH else f"{interval}, "
    return f"{text.points(row['difference'])} points ({ends}n = {row['n']:.0f})"


def _row(row: pd.Series) -> dict[str, Field]:
    return {
        **place(row),
        "stopped": Field(BY[row["rule"]]),
        "against": Field(row_label(row, "teacher")),
        "its accuracy, %": Field(text.percent(row["mean"])),
        "cross-entropy stopped early, %": Field(text.percent(row["mean_stopped"])),
        "n": count(row["n"]),
        "stopping gains": Field(text.points(row["difference"])),
        "95 % interval": Field(text.interval(*cells.ends_beside(row))),
        "p (Holm)": Field(text.p_value(number_of(row["p_holm"]))),
        "stopping": chip(text_of(row["verdict"]), text_of(row["note"])),
    }
