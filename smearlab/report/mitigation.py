"""Whether a gain is mitigation, in the report's words: more under noise than without."""

import math

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.phrases import at_noise
from smearlab.report.tone import Tone
from smearlab.statistics.mitigation import MITIGATES, NO_MORE
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, cell_keys, regular

NUMBERS = (
    *("n", "gain_without_noise", "difference", "ci_low", "ci_high", "share_recovered"),
    *("ci_low_simultaneous", "ci_high_simultaneous"),
)
MORE = {MITIGATES: "more than without noise", NO_MORE: "no more than without noise"}
OPEN = "whether more than without noise is not decided"


def of(mitigation: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of mitigation.csv that belong to some rows of the summary."""
    if not len(mitigation):
        return pd.DataFrame(columns=["finding"])
    found = regular(mitigation, [*NUMBER_KEYS, *NUMBERS], [*TEXT_KEYS, "finding"])
    return found[cell_keys(found).isin(rows["key"])]


def tone_with(tone: Tone, found: pd.DataFrame) -> Tone:
    """Return the tone of an answer whose gains are all shown to help: yes only if all of them are mitigation."""
    findings = set(found["finding"])
    if tone != "yes" or not findings or findings == {MITIGATES}:
        return tone
    return "no" if findings == {NO_MORE} else "partly"


def tail(found: pd.DataFrame) -> str:
    """Return how a headline goes on after `helped`: , but no more than without noise; "" without a finding."""
    by_finding: dict[str, list[str]] = {}
    for _, row in found.iterrows():
        by_finding.setdefault(MORE.get(row["finding"], OPEN), []).append(text.rate(row["noise_rate"]))
    if len(by_finding) > 1:
        return f": {text.listing([f'{said} at {text.listing(rates)}' for said, rates in by_finding.items()])}"
    return "".join(f", {'but ' if said == MORE[NO_MORE] else ''}{said}" for said in by_finding)


def sentences(found: pd.DataFrame) -> list[str]:
    """Say how far the gain under noise exceeds the gain without, and what share of the loss it makes good."""
    parts = [_part(row) for _, row in found.iterrows() if not math.isnan(row["difference"])]
    return [f"Beside its gain without noise it gains {'; '.join(parts)}."] if parts else []


def _share(recovered: float) -> str:
    if math.isnan(recovered):
        return ""
    done = "makes good {} of" if recovered >= 0 else "adds {} to"
    return f"; it {done.format(text.percent(abs(recovered), 0))} what noise costs cross-entropy"


def _part(row: pd.Series) -> str:
    interval = text.interval(*cells.ends_beside(row))
    share = _share(row["share_recovered"])
    where = at_noise(row["noise_rate"], "on these labels")
    return f"{text.points(row['difference'])} points {where} ({interval}, n = {row['n']:.0f}: {row['finding']}{share})"
