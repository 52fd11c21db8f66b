"""What students gain by a treatment of their own, beside the same students without it."""

import pandas as pd

from smearlab.core import columns
from smearlab.figures import _format as text
from smearlab.report.fields import chip, count, number_of, place
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import TEXT_KEYS, NamedRow, Tables, cell_keys, regular

TITLE = "Students with a treatment of their own, against the same student without it"
NUMBERS = columns.numbers(columns.OWN_TREATMENT)
TEXTS = columns.names(columns.OWN_TREATMENT, type=columns.TEXT)


def own_treatment(tables: Tables) -> Table | None:
    """Return a row for each student whose own loss is not plain cross-entropy; None where the grid has none."""
    rows = compared(tables)
    return table(TITLE, [_row(row) for _, row in rows.iterrows()]) if len(rows) else None


def compared(tables: Tables) -> pd.DataFrame:
    """Return own_treatment.csv in the regular form, with `key` as in the summary."""
    found = regular(tables.own_treatment, NUMBERS, [*TEXT_KEYS, *TEXTS])
    return found.assign(key=cell_keys(found))


def beside(row: NamedRow) -> Field:
    """Return what a student's own treatment is worth as a chip, with its difference and its n."""
    difference = number_of(row["difference"])
    known = f"{text.points(difference)}, " if difference == difference else ""
    return chip(str(row["verdict"]), f"{known}n = {row['n']:.0f}, against the same student without it")


def _row(row: pd.Series) -> dict[str, Field]:
    return {
        **place(row),
        "teacher": Field(text.method_label(row, "teacher_")),
        "student": Field(text.student_label(row)),
        "verdict": chip(row["verdict"]),
        "difference": Field(text.points(row["difference"])),
        "95 % interval": Field(text.interval(row["ci_low_simultaneous"], row["ci_high_simultaneous"])),
        "p": Field(text.p_value(row["p_value"])),
        "p (Holm)": Field(text.p_value(row["p_holm"])),
        "n": count(row["n"]),
    }
