"""Which comparison is the headline contrast of a grid."""

from typing import Any

import pandas as pd

from smearlab.figures._cells import SMOOTHING
from smearlab.report.facts import Facts
from smearlab.store.tables import CONDITION

USUAL_ALPHA = 0.1


def primary_rows(summary: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """Return the teacher rows of the headline contrast: flagged, named in the config, or smoothing nearest 0.1."""
    teachers = summary[summary["role"] == "teacher"]
    if "primary" in teachers and (flagged := teachers["primary"].map(is_flagged).astype(bool)).any():
        return teachers[flagged]
    wanted = known.primary or {"method": SMOOTHING}
    rows = teachers[teachers["method"] == wanted["method"]]
    if wanted.get("transition"):
        rows = rows[rows["transition"] == wanted["transition"]]
    if wanted.get("alpha") is not None:
        return rows[rows["alpha"] == wanted["alpha"]]
    return _usual(rows[(rows["alpha"] > 0) | rows["alpha"].isna()])


def is_flagged(value: Any) -> bool:
    """Whether a field of the column `primary` marks its row, as pandas or a CSV file spell it."""
    return str(value).lower() in ("true", "1", "1.0")


def _usual(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows at the strength nearest the usual one; without strengths, one row a place."""
    if not len(rows) or rows["alpha"].isna().all():
        return rows.drop_duplicates([*CONDITION, "noise_rate"])
    nearest = rows["alpha"].iloc[int((rows["alpha"] - USUAL_ALPHA).abs().argmin())]
    return rows[rows["alpha"] == nearest]
