"""The statistics of passed-on wrong labels as the page's question and its table read them."""

import math

import pandas as pd

from smearlab.figures import _format as text
from smearlab.statistics.passed_on import COUNTS
from smearlab.store.tables import TEXT_KEYS, Tables, cell_keys, regular

NUMBERS = [
    *("n", *COUNTS, "where_teacher_did", "where_teacher_did_not", "odds_ratio", "odds_low", "odds_high"),
    *(
        "passed_on",
        "difference",
        "ci_low",
        "ci_high",
        "p_holm",
        "n_paired",
        "ci_low_simultaneous",
        "ci_high_simultaneous",
    ),
    *("where_teacher_did_difference", "where_teacher_did_low", "where_teacher_did_high"),
]


def passed_on_rows(tables: Tables) -> pd.DataFrame:
    """Return the statistics of passed-on labels in the regular form; empty where they were not made."""
    rows = regular(tables.passed_on, NUMBERS, [*TEXT_KEYS, "finding", "note"])
    return rows.assign(key=cell_keys(rows))


def ratio(value: float) -> str:
    """Return an odds ratio with three digits; whole from a hundred on."""
    return text.DASH if math.isnan(value) else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratios(low: float, high: float) -> str:
    """Return an interval of odds ratios; a dash where there is none."""
    return text.DASH if math.isnan(low) or math.isnan(high) else f"{ratio(low)} to {ratio(high)}"
