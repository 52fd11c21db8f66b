"""Whether a gain is mitigation, in the report's words: more under noise than without."""

import math
from collections import Counter

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.phrases import at_noise
from smearlab.report.tone import Tone
from smearlab.statistics.mitigation import MITIGATES, NO_MORE
from smearlab.statistics.verdict import DIVERGED, HELPS, HURTS
from smearlab.store.tables import NUMBER_KEYS, TEXT_KEYS, cell_keys, regular

NUMBERS = (
    *("n", "gain_without_noise", "difference", "ci_low", "ci_high", "share_recovered"),
    *("ci_low_simultaneous", "ci_high_simultaneous"),
)
MORE = {
    MITIGATES: "more than without noise",
    NO_MORE: "no more than without noise",
    "": "whether more than without noise was not compared",
}
OPEN = "whether more than without noise is not decided"


def of(mitigation: pd.DataFrame | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what mitigation.csv says of each of some rows of the summary, with their verdicts.

    The finding is "" where it says nothing: there is no comparison without noise. None, a table that was not made, has
    no rows.
    """
    if mitigation is None:
        return pd.DataFrame(columns=["finding"])
    found = regular(mitigation, [*NUMBER_KEYS, *NUMBERS], [*TEXT_KEYS, "role", "finding"])
    found = found.assign(key=cell_keys(found))[["key", *NUMBERS, "finding"]]
    joined = rows[["key", "noise_rate", "verdict"]].merge(found, on="key", how="left")
    return joined.assign(finding=joined["finding"].fillna(""))


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


def counts(found: pd.DataFrame) -> str:
    """Return the same of many settings, by their number: , more than without noise in 2."""
    tallied = Counter(MORE.get(finding, OPEN) for finding in found["finding"])
    return "".join(f", {said} in {n}" for said, n in tallied.items())


def sentences(found: pd.DataFrame) -> list[str]:
    """Say how far the gain under noise exceeds the gain without, and what share of the loss it makes good."""
    if not len(found):
        return []
    known = found[found["difference"].notna() & (found["finding"] != DIVERGED)]
    parts = [_part(row) for _, row in known.iterrows()]
    said = [f"Beside its gain without noise it gains {'; '.join(parts)}."] if parts else []
    unknown = found[(found["finding"] == "") & (found["verdict"] == HELPS)]
    where = text.listing([at_noise(rate, "on these labels") for rate in unknown["noise_rate"].unique()])
    return [*said, *([f"Whether it gains more than without noise was not compared {where}."] if where else [])]


def _share(row: pd.Series) -> str:
    """What the gain makes good, where there is one: of a gain that is not decided it would be chance."""
    recovered = row["share_recovered"]
    if math.isnan(recovered) or row["verdict"] not in (HELPS, HURTS):
        return ""
    done = "makes good {} of" if recovered >= 0 else "adds {} to"
    return f"; it {done.format(text.percent(abs(recovered), 0))} what noise costs cross-entropy"


def _part(row: pd.Series) -> str:
    interval = text.interval(*cells.ends_beside(row))
    ends = "" if interval == text.DASH else f"{interval}, "
    where = at_noise(row["noise_rate"], "on these labels")
    return f"{text.points(row['difference'])} points {where} ({ends}n = {row['n']:.0f}: {row['finding']}{_share(row)})"
