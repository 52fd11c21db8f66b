"""Whether a gain is mitigation, in the report's words: more under noise than without."""

import math
from collections import Counter

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report import rules
from smearlab.report.phrases import at_noise, place_name
from smearlab.report.tone import Tone, tone_of
from smearlab.statistics.mitigation import DOES_NOT, MITIGATES, NO_MORE
from smearlab.statistics.verdict import DIVERGED, HELPS, HURTS, IDENTICAL, NO_DIFFERENCE, NOT_DECIDED
from smearlab.store.tables import CONDITION, NUMBER_KEYS, TEXT_KEYS, cell_keys, regular

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
OUTCOMES = {
    HURTS: "hurts, so does not mitigate",
    NO_DIFFERENCE: "makes no practical difference, so does not mitigate",
    IDENTICAL: "is the same as cross-entropy, so does not mitigate",
}


def of(mitigation: pd.DataFrame | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what mitigation.csv says of each of some rows of the summary, with their verdicts.

    The finding is "" where it says nothing: there is no comparison without noise. None, a table that was not made, has
    no rows.
    """
    if mitigation is None:
        return pd.DataFrame(columns=["finding"])
    found = regular(mitigation, [*NUMBER_KEYS, *NUMBERS], [*TEXT_KEYS, "role", "finding"])
    found = found.assign(key=cell_keys(found))[["key", *NUMBERS, "finding"]]
    joined = rows[["key", *CONDITION, "noise_rate", "verdict"]].merge(found, on="key", how="left")
    return joined.assign(finding=joined["finding"].fillna(""))


def tone(rows: pd.DataFrame, found: pd.DataFrame) -> Tone:
    """Return the tone of some comparisons: yes only if all help and all of that is mitigation.

    Where something helps, and nowhere is that shown to be more than without noise, what is shown to be no more counts
    as a gain that noise has no part in. The findings are of the reported checkpoint: of others nothing is ruled out.
    """
    said = rules.tone(rows)
    helped = _helped(found)
    findings = set(helped["finding"])
    if said not in ("yes", "partly") or findings <= {MITIGATES}:
        return said
    if NO_MORE not in findings or MITIGATES in findings:
        return "partly"
    shown = found["verdict"].mask(found["verdict"] == HELPS, NOT_DECIDED)
    without = tone_of(shown.mask(found["finding"] == NO_MORE, NO_DIFFERENCE))
    return "unshown" if without == "no" and rules.disagree(rows) else without


def _helped(found: pd.DataFrame) -> pd.DataFrame:
    return found[found["verdict"] == HELPS] if "verdict" in found else found


def _places(found: pd.DataFrame) -> int:
    return len(found.reindex(columns=CONDITION).drop_duplicates())


def where_helped(found: pd.DataFrame, at: str = "") -> str:
    """Return how a headline goes on that says of some comparisons only that they helped; "" without a finding.

    `at` says where these were measured: at the checkpoint reported.
    """
    helped = _helped(found)
    if _places(helped) > 1:
        return f"; where it helped{at}{counts(helped)}"
    said = tail(helped).removeprefix(":").removeprefix(",").strip().removeprefix("but ")
    return f"; where it helped{at}, {said}" if said else ""


def is_no_more_somewhere(found: pd.DataFrame) -> bool:
    """Whether something that helps is shown to help no more than without noise."""
    return NO_MORE in set(_helped(found)["finding"])


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
    is_one_place = _places(found) == 1
    parts = [_part(row, is_one_place) for _, row in known.iterrows()]
    said = [f"Beside its gain without noise it gains {'; '.join(parts)}."] if parts else []
    unknown = found[(found["finding"] == "") & (found["verdict"] == HELPS)]
    places = [
        at_noise(row["noise_rate"], "on these labels") if is_one_place else f"on {place_name(row)}"
        for _, row in unknown.iterrows()
    ]
    where = text.listing(places)
    return [*said, *([f"Whether it gains more than without noise was not compared {where}."] if where else [])]


def _share(row: pd.Series) -> str:
    """What the gain makes good, where there is one: of a gain that is not decided it would be chance."""
    recovered = row["share_recovered"]
    if math.isnan(recovered) or row["verdict"] not in (HELPS, HURTS):
        return ""
    done = "makes good {} of" if recovered >= 0 else "adds {} to"
    return f"; it {done.format(text.percent(abs(recovered), 0))} what noise costs cross-entropy"


def _part(row: pd.Series, is_one_place: bool) -> str:
    interval = text.interval(*cells.ends_beside(row))
    ends = "" if interval == text.DASH else f"{interval}, "
    where = at_noise(row["noise_rate"], "on these labels") if is_one_place else f"on {place_name(row)}"
    return f"{text.points(row['difference'])} points {where} ({ends}n = {row['n']:.0f}: {_outcome(row)}{_share(row)})"


def _outcome(row: pd.Series) -> str:
    """What is found, which rests on the gain itself too: of one that is not decided there is nothing to mitigate."""
    if row["finding"] in (MITIGATES, NO_MORE):
        return str(row["finding"])
    if row["finding"] == DOES_NOT:
        return OUTCOMES[row["verdict"]]
    return "helps, whether more is not decided" if row["verdict"] == HELPS else "whether it helps is not decided"
