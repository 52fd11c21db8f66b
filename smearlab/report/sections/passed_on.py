"""Who memorised which wrong label: the two-by-two tables of teachers and students."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import CHIPS, OPEN, place
from smearlab.report.memorisation import passed_on_rows, ratio, ratios
from smearlab.report.table import Field, Table, table
from smearlab.statistics.passed_on import COUNTS, FEWER, MORE
from smearlab.store.tables import Tables

MOST_ROWS = 400
COLUMNS = ("both", "teacher only", "student only", "neither")
FINDINGS = {**CHIPS, FEWER: FEWER, MORE: MORE}


def passed_on(tables: Tables) -> Table | None:
    """Return the two-by-two counts of every student cell with wrong labels, with what follows from them."""
    rows = passed_on_rows(tables)
    if not len(rows):
        return None
    note = f"The first {MOST_ROWS} of {len(rows)}; all are in passed_on.csv." if len(rows) > MOST_ROWS else ""
    return table("Who memorised which wrong label", [_row(row) for _, row in rows.head(MOST_ROWS).iterrows()], note)


def _row(row: pd.Series) -> dict[str, Field]:
    finding = row["finding"]
    return {
        **place(row),
        "teacher": Field(text.method_label(row, "teacher_")),
        "student": Field(text.student_label(row)),
        "n": Field(f"{row['n']:.0f}"),
        **{name: Field(f"{row[count]:.0f}") for name, count in zip(COLUMNS, COUNTS, strict=True)},
        "odds ratio": Field(ratio(row["odds_ratio"])),
        "its interval": Field(ratios(row["odds_low"], row["odds_high"])),
        "passed on": Field(text.percent(row["passed_on"])),
        "to plain teacher's student": Field(text.points(row["difference"])),
        "its 95 % interval": Field(text.interval(*cells.ends_beside(row))),
        "p (Holm)": Field(text.p_value(row["p_holm"])),
        "finding": Field(finding, FINDINGS.get(finding, OPEN)),
        "student does where teacher did": Field(text.percent(row["where_teacher_did"])),
        "where it did not": Field(text.percent(row["where_teacher_did_not"])),
    }
