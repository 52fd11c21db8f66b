"""How does smoothing sit among the loss corrections? By means and intervals at the highest rate."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.phrases import place_name
from smearlab.report.primary import primary_rows
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.tone import Tone
from smearlab.statistics.paired import FEWEST

QUESTION = "How does label smoothing sit in the family of loss corrections?"
EVIDENCE = ("methods", "accuracy_alpha")
CORRECTIONS = ("forward", "backward")
MOST_NAMED = 3


def reply(summary: pd.DataFrame, known: Facts) -> Reply:
    """Return where the headline's smoothing stands among the corrections at the highest rate that has both."""
    teachers = summary[(summary["role"] == "teacher") & (summary["noise_rate"] != 0)]
    if not teachers["method"].isin(CORRECTIONS).any():
        return cannot(QUESTION, "it has no forward or backward correction under noise.", EVIDENCE)
    compared = _compared(teachers, known)
    if not compared:
        return cannot(QUESTION, "smoothing and a correction are not both measured under the same noise.", EVIDENCE)
    smoothed, corrections = compared[-1]
    tone, short = _standing(smoothed, corrections)
    standing = _ordered(smoothed, corrections) + _best_smoothing(teachers, smoothed)
    return Reply(QUESTION, short, [standing, _apart(smoothed, corrections)], tone, EVIDENCE)


def _compared(teachers: pd.DataFrame, known: Facts) -> list[tuple[pd.Series, pd.DataFrame]]:
    """Each row of the headline's smoothing with the corrections measured in the same place."""
    primary = _measured(primary_rows(teachers, known))
    primary = primary[primary["method"] == cells.SMOOTHING]
    corrections = _measured(teachers[teachers["method"].isin(CORRECTIONS)])
    pairs = [(row, cells.at_place(corrections, row)) for _, row in primary.iterrows()]
    return [(row, rows) for row, rows in pairs if len(rows)]


def _measured(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["difference"].notna() & (rows["n_paired"] >= FEWEST)]


def _standing(smoothed: pd.Series, corrections: pd.DataFrame) -> tuple[Tone, str]:
    above = smoothed["ci_low"] > corrections["ci_high"]
    below = smoothed["ci_high"] < corrections["ci_low"]
    at = f"At α = {text.plain(smoothed['alpha'], 3)}: "
    if above.all() or below.all():
        return "partly", f"{at}ahead of them" if above.all() else f"{at}behind them"
    return ("partly", f"{at}among them") if (above | below).any() else ("unshown", f"{at}not told apart")


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
    interval = text.interval(row["ci_low"], row["ci_high"])
    return f"{text.points(row['difference'])} ({interval}, n = {row['n_paired']:.0f}, {row['verdict']})"


def _best_smoothing(teachers: pd.DataFrame, smoothed: pd.Series) -> str:
    smoothing = teachers[(teachers["method"] == cells.SMOOTHING) & (teachers["alpha"] > 0)]
    rows = _measured(cells.at_place(smoothing, smoothed))
    best = cells.highest(rows)
    if best["key"] == smoothed["key"]:
        return ""
    return f" The best smoothing in hindsight, α = {text.plain(best['alpha'], 3)}, stands at {_difference(best)}."


def _apart(smoothed: pd.Series, corrections: pd.DataFrame) -> str:
    places: dict[str, list[str]] = {"lies above that of": [], "lies below that of": [], "overlaps that of": []}
    for _, row in corrections.iterrows():
        places[_beside(smoothed, row)].append(text.method_phrase(row))
    many = len(corrections) > MOST_NAMED
    parts = [
        f"{said} {f'{len(found)} of {len(corrections)} corrections' if many else text.listing(found)}"
        for said, found in places.items()
        if found
    ]
    return (
        f"The interval of {text.method_phrase(smoothed)} {text.listing(parts)}; they are not tested against each other."
    )


def _beside(smoothed: pd.Series, other: pd.Series) -> str:
    if smoothed["ci_low"] > other["ci_high"]:
        return "lies above that of"
    return "lies below that of" if smoothed["ci_high"] < other["ci_low"] else "overlaps that of"
