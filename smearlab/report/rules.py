"""The stopping rules in the report's words: the last epoch, the epoch best on noisy validation labels, Label Wave's."""

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report.phrases import TALLY, tally
from smearlab.report.tone import Tone, tone_of
from smearlab.statistics.verdict import MISSING

LAST = "last"
UNKNOWN = ("", MISSING)
WHEN = {LAST: "at the last epoch", "selected": "stopped early", "label_wave": "stopped by Label Wave"}


def measured(rows: pd.DataFrame) -> dict[str, str]:
    """Return the rules at which some comparison has a verdict, each with when it stops."""
    return {rule: when for rule, when in WHEN.items() if not _verdicts(rows, rule).isin(UNKNOWN).all()}


def disagree(rows: pd.DataFrame) -> bool:
    """Whether of some comparison another thing is said at one stopping rule than at another: undecided is one thing."""
    found = pd.DataFrame({rule: _verdicts(rows, rule) for rule in WHEN})
    said = found.mask(found.isin(UNKNOWN)).replace(TALLY)
    return bool((said.nunique(axis=1) > 1).any())


def _verdicts(rows: pd.DataFrame, rule: str) -> pd.Series:
    return rows.get(f"verdict_{rule}", pd.Series("", index=rows.index))


def tone(rows: pd.DataFrame) -> Tone:
    """Return the tone of the verdicts of some comparisons; of all rules' where these disagree."""
    if not disagree(rows):
        return tone_of(rows["verdict"])
    return tone_of(pd.concat([rows[f"verdict_{rule}"] for rule in measured(rows)]))


def told_apart(rows: pd.DataFrame) -> list[str]:
    """Say what each rule finds, where they disagree."""
    if not disagree(rows):
        return []
    said = [f"{when} it {tally(rows[f'verdict_{rule}'])}" for rule, when in measured(rows).items()]
    return [f"The stopping rules disagree: {'; '.join(said)}."]


def beside(row: pd.Series) -> str:
    """Return what the other rules say of a comparison, in brief: stopped early +1.3, helps; "" if not measured."""
    known = [rule for rule in WHEN if pd.notna(row.get(f"difference_{rule}"))]
    leading = next((rule for rule in known if row["difference"] == row[f"difference_{rule}"]), None)
    said = [_brief(row, rule) for rule in known if rule != leading]
    return "; ".join(said) if len(known) > 1 else ""


def _brief(row: pd.Series, rule: str) -> str:
    return f"{WHEN[rule]} {text.points(row[f'difference_{rule}'])}, {row[f'verdict_{rule}']}"
