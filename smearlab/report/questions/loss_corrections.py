"""How does smoothing sit among the loss corrections? Compared with each of them at the highest rate."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.phrases import place_name
from smearlab.report.primary import primary_rows
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.tone import Tone
from smearlab.statistics.paired import FEWEST
from smearlab.statistics.verdict import HELPS, HURTS, NO_DIFFERENCE
from smearlab.store.tables import TEXT_KEYS, cell_keys, regular

QUESTION = "How does label smoothing sit in the family of loss corrections?"
EVIDENCE = ("methods", "accuracy_alpha")
CORRECTIONS = ("forward", "backward")
MOST_NAMED = 3
NUMBERS = ("n", "difference", "ci_low", "ci_high", "ci_low_simultaneous", "ci_high_simultaneous")
BEATS = {
    HELPS: "is better than",
    HURTS: "is worse than",
    NO_DIFFERENCE: "makes no practical difference to",
}


def reply(summary: pd.DataFrame, known: Facts, rivals: pd.DataFrame | None = None) -> Reply:
    """Return where the headline's smoothing stands among the corrections at the highest rate that has both.

    `rivals` compares the headline with each method in its place; without it nothing is told apart.
    """
    teachers = summary[(summary["role"] == "teacher") & (summary["noise_rate"] != 0)]
    if not teachers["method"].isin(CORRECTIONS).any():
        return cannot(QUESTION, "it has no forward or backward correction under noise.", EVIDENCE)
    compared = _compared(teachers, known)
    if not compared:
        return cannot(QUESTION, _not_compared(teachers, known), EVIDENCE)
    smoothed, corrections = compared[-1]
    beside = _beside(smoothed, corrections, rivals)
    tone, short = _standing(smoothed, beside)
    standing = _ordered(smoothed, corrections) + _best_smoothing(teachers, smoothed)
    return Reply(QUESTION, short, [standing, *([_apart(smoothed, beside)] if len(beside) else [])], tone, EVIDENCE)


def _not_compared(teachers: pd.DataFrame, known: Facts) -> str:
    headline = primary_rows(teachers, known)
    if len(headline) and not (headline["method"] == cells.SMOOTHING).any():
        return "only its headline is compared with the corrections by replicate, and that is no smoothing."
    both = "the smoothing of its headline and a correction"
    return f"{both} are not both measured in {FEWEST} replicates under the same noise."


def _beside(smoothed: pd.Series, corrections: pd.DataFrame, rivals: pd.DataFrame | None) -> pd.DataFrame:
    """The headline's comparisons with these corrections."""
    if rivals is None or not len(rivals):
        return pd.DataFrame({"verdict": []})
    rows = regular(rivals.assign(role="teacher"), NUMBERS, [*TEXT_KEYS, "verdict"])
    return cells.at_place(rows[cell_keys(rows).isin(corrections["key"])], smoothed)


def _compared(teachers: pd.DataFrame, known: Facts) -> list[tuple[pd.Series, pd.DataFrame]]:
    """Each row of the headline's smoothing with the corrections measured in the same place."""
    primary = _measured(primary_rows(teachers, known))
    primary = primary[primary["method"] == cells.SMOOTHING]
    corrections = _measured(teachers[teachers["method"].isin(CORRECTIONS)])
    pairs = [(row, cells.at_place(corrections, row)) for _, row in primary.iterrows()]
    return [(row, rows) for row, rows in pairs if len(rows)]


def _measured(rows: pd.DataFrame) -> pd.DataFrame:
    return cells.compared(rows[rows["n_paired"] >= FEWEST])


def _standing(smoothed: pd.Series, beside: pd.DataFrame) -> tuple[Tone, str]:
    above, below = beside["verdict"] == HELPS, beside["verdict"] == HURTS
    at = f"At α = {text.plain(smoothed['alpha'], 3)}: "
    if not (above | below).any():
        return "unshown", f"{at}not told apart"
    if above.all() or below.all():
        return "partly", f"{at}ahead of them" if above.all() else f"{at}behind them"
    return "partly", f"{at}among them"


def _ordered(smoothed: pd.Series, corrections: pd.DataFrame) -> str:
    named = corrections if len(corrections) <= MOST_NAMED else corrections.groupby("method", sort=False).head(1)
    rows = pd.concat([smoothed.to_frame().T, named]).sort_values("difference", ascending=False, kind="stable")
    parts = [f"{text.method_phrase(row)} {_difference(row)}" for _, row in rows.iterrows()]
    said = f"On {place_name(smoothed)}, in points against cross-entropy with 95 % intervals: {text.listing(parts)}"
    others = corrections.drop(named.index)["difference"]
    if not len(others):
        return f"{said}."
    extent = f"{text.points(others.min())} to {text.points(others.max())}"
    return f"{said}; {text.counted(len(others), 'other correction')} from {extent}."


def _difference(row: pd.Series) -> str:
    return f"{text.points(row['difference'])} ({_ends(row)}n = {row['n_paired']:.0f}, {row['verdict']})"


def _ends(row: pd.Series) -> str:
    interval = text.interval(*cells.ends_beside(row))
    return "" if interval == text.DASH else f"{interval}, "


def _best_smoothing(teachers: pd.DataFrame, smoothed: pd.Series) -> str:
    smoothing = teachers[(teachers["method"] == cells.SMOOTHING) & (teachers["alpha"] > 0)]
    rows = _measured(cells.at_place(smoothing, smoothed))
    best = cells.highest(rows)
    if best["key"] == smoothed["key"]:
        return ""
    return f" The best smoothing in hindsight, α = {text.plain(best['alpha'], 3)}, stands at {_difference(best)}."


def _apart(smoothed: pd.Series, beside: pd.DataFrame) -> str:
    by_verdict: dict[str, list[str]] = {}
    for _, row in beside.iterrows():
        said = BEATS.get(row["verdict"], "is not told apart from")
        by_verdict.setdefault(said, []).append(f"{text.method_phrase(row)} ({_gap(row)})")
    parts = [f"{said} {text.listing(_named(found))}" for said, found in by_verdict.items()]
    return f"Compared with each by replicate, {text.method_phrase(smoothed)} {text.listing(parts)}."


def _named(found: list[str]) -> list[str]:
    others = found[MOST_NAMED:]
    return [*found[:MOST_NAMED], *([text.counted(len(others), "other correction")] if others else [])]


def _gap(row: pd.Series) -> str:
    return f"{text.points(row['difference'])} points, {_ends(row)}n = {row['n']:.0f}"
