"""What a user who sees only noisy validation labels would choose, and what that choice is worth."""

import json
from collections.abc import Mapping

import pandas as pd

from smearlab.figures import _format as text
from smearlab.figures._cells import PLAIN
from smearlab.report.fields import chip, count, number_of, place, row_label, text_of, words
from smearlab.report.table import Field, Table, table
from smearlab.statistics.cells import NAMES, label, records
from smearlab.statistics.verdict import NOT_ENOUGH
from smearlab.store.tables import Tables


def advice(tables: Tables) -> Table | None:
    """Return a row for each place and role; None where no choice was computed."""
    choice = tables.choice
    if not len(choice):
        return None
    called = _called(tables.summary)
    return table("Chosen on noisy validation labels", [_row(row, called) for _, row in choice.iterrows()])


def _called(summary: pd.DataFrame) -> dict[str, str]:
    """Return for each cell, as the table of choices spells it, how the page calls it."""
    spelled = [label(names) for names in records(summary, NAMES)]
    return {key: row_label(row, row["role"]) for key, (_, row) in zip(spelled, summary.iterrows(), strict=True)}


def _row(row: pd.Series, called: Mapping[str, str]) -> dict[str, Field]:
    return {
        "role": Field(text_of(row["role"])),
        **place(row),
        "advice": _advice(row, called),
        "chosen in": Field(_chosen_in(row)),
        "n": count(number_of(row["n"])),
        "gain of choosing": _points(row["gain"]),
        "95 % interval": Field(text.interval(number_of(row["ci_low"]), number_of(row["ci_high"]))),
        "verdict": chip(text_of(row["verdict"]) or NOT_ENOUGH),
        "best in hindsight": Field(_name(row["best_in_hindsight"], called)),
        "lost against it": _points(row["cost"]),
        "its 95 % interval": Field(text.interval(number_of(row["ci_low_cost"]), number_of(row["ci_high_cost"]))),
        "optimism of best on test": _points(row["optimism_of_best_on_test"]),
        "of its best epoch": _points(row["optimism_of_best_checkpoint"]),
    }


def _name(spelled: object, called: Mapping[str, str]) -> str:
    return called.get(text_of(spelled), words(spelled).text)


def _advice(row: pd.Series, called: Mapping[str, str]) -> Field:
    """Return what is advised: no gain of other choices stands beside cross-entropy, which gains nothing over itself."""
    advised, note = _name(row["advice"], called), text_of(row["note"])
    if text_of(row["advice"]) == PLAIN and len(_choices(row)) > 1:
        return Field(f"none alone; most often {advised}" + (f"; {note}" if note else ""))
    return Field(advised or "none", note=note)


def _points(difference: object) -> Field:
    return Field(text.points(number_of(difference)))


def _chosen_in(row: pd.Series) -> str:
    """Return in how many replicates the advice was chosen, and how many other cells were in the rest."""
    chosen = _choices(row)
    if not chosen:
        return text.DASH
    others = f", {text.counted(len(chosen) - 1, 'other')} elsewhere" if len(chosen) > 1 else ""
    return f"{max(chosen.values())} of {sum(chosen.values())}{others}"


def _choices(row: pd.Series) -> dict[str, int]:
    """Return how often each cell was chosen."""
    return dict(json.loads(text_of(row["chosen"]) or "{}"))
