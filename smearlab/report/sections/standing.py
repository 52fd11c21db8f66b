"""Whether the headline stands under other choices, and one estimate for all noise rates."""

from collections import Counter

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import chip, count, number_of, place, row_label, text_of
from smearlab.report.table import Field, Table, table
from smearlab.statistics.robustness import CHANCE, WITHOUT
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, Tables, regular

NUMBERS = ("n", "difference", "ci_low", "ci_high", "ci_low_simultaneous", "ci_high_simultaneous", "p_value", "p_holm")


def standing(tables: Tables) -> list[Table]:
    """Return a table for each of the three that has a row: the headline's checks, diverged as chance, all rates."""
    found = []
    rows = _regular(tables.robustness, "check")
    if len(headline := rows[rows["check"] != CHANCE]):
        found.append(table("Does the headline stand?", _checks(headline), "Each check has its own Holm correction."))
    if len(lost := rows[rows["check"] == CHANCE]):
        found.append(table("Diverged networks counted as guessing", [_row(row, row["role"]) for row in _each(lost)]))
    if len(tables.pooled):
        pooled = _regular(tables.pooled.assign(role="teacher"), "rates")
        found.append(table("All noisy rates together", [_pooled(row) for row in _each(pooled)]))
    return found


def _regular(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return regular(frame, [*NUMBER_KEYS, *NUMBERS], [*TEXT_KEYS, "role", column, "verdict"])


def _each(rows: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in rows.iterrows()]


def _checks(rows: pd.DataFrame) -> list[dict[str, Field]]:
    """A record for each headline and check; those without a replicate in turn are one."""
    keys = [name for name in TEXT_KEYS if name in rows]
    records = []
    for _, group in rows.groupby([*keys, *NUMBER_KEYS], sort=False, dropna=False):
        turns = group["check"].str.startswith(WITHOUT)
        records += [_row(row, "teacher", row["check"]) for row in _each(group[~turns])]
        if turns.any():
            records.append(_without(group[turns]))
    return records


def _row(row: pd.Series, role: str, check: str | None = None) -> dict[str, Field]:
    return {
        **place(row),
        "method": Field(row_label(row, role)),
        **({} if check is None else {"check": Field(check)}),
        "n": count(row["n"]),
        "difference": Field(text.points(row["difference"])),
        "95 % interval": Field(text.interval(*cells.ends_beside(row))),
        "p": Field(text.p_value(number_of(row["p_value"]))),
        "p (Holm)": Field(text.p_value(number_of(row["p_holm"]))),
        "verdict": chip(text_of(row["verdict"])),
    }


def _without(group: pd.DataFrame) -> dict[str, Field]:
    """The record of all that leave a replicate out: the range of the difference, and how often each verdict."""
    counts = Counter(group["verdict"])
    said, most = counts.most_common(1)[0]
    compared = cells.compared(group)["difference"]
    low, high = compared.min(), compared.max()
    return {
        **_row(group.iloc[0], "teacher", "without each replicate in turn"),
        "difference": Field(text.interval(low, high)),
        "95 % interval": Field(text.DASH),
        "p": Field(text.DASH),
        "p (Holm)": Field(text.DASH),
        "verdict": chip(said, f"in {most} of {len(group)}"),
    }


def _pooled(row: pd.Series) -> dict[str, Field]:
    record = _row(row, "teacher")
    return {**{key: record[key] for key in record if key != "rate"}, "rates": Field(row["rates"])}
