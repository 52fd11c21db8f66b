"""The two stopping rules in the report's words: the last epoch, and the epoch chosen on noisy validation labels."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.phrases import tally
from smearlab.report.tone import Tone, tone_of
from smearlab.statistics.verdict import MISSING

LAST, STOPPED = "last", "selected"
UNKNOWN = ("", MISSING)
WHEN = {LAST: "at the last epoch", STOPPED: "stopped early"}


def disagree(rows: pd.DataFrame) -> bool:
    """Whether some comparison has one verdict at the last epoch and another one stopped early."""
    nothing = pd.Series("", index=rows.index)
    last, stopped = (rows.get(f"verdict_{rule}", nothing) for rule in WHEN)
    known = ~last.isin(UNKNOWN) & ~stopped.isin(UNKNOWN)
    return bool((last != stopped)[known].any())


def tone(rows: pd.DataFrame) -> Tone:
    """Return the tone of the verdicts of some comparisons; of both rules' where these disagree."""
    if not disagree(rows):
        return tone_of(rows["verdict"])
    return tone_of(pd.concat([rows[f"verdict_{rule}"] for rule in WHEN]))


def told_apart(rows: pd.DataFrame) -> list[str]:
    """Say what each rule finds, where they disagree."""
    if not disagree(rows):
        return []
    said = [f"{when} it {tally(rows[f'verdict_{rule}'])}" for rule, when in WHEN.items()]
    return [f"The two stopping rules disagree: {'; '.join(said)}."]


def beside(row: pd.Series) -> str:
    """Return what the other rule says of a comparison, in brief: stopped early +1.3, helps; "" if not measured."""
    if pd.isna(row[f"difference_{LAST}"]) or pd.isna(row[f"difference_{STOPPED}"]):
        return ""
    other = STOPPED if row["difference"] == row[f"difference_{LAST}"] else LAST
    return f"{WHEN[other]} {text.points(row[f'difference_{other}'])}, {row[f'verdict_{other}']}"
