"""Does a smoothed or corrected teacher pass on fewer of the wrong labels?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from smearlab.statistics import verdict as words
from smearlab.statistics.cells import FAMILY, NAMES, Cell, Peers, Replicate, name_types, read, table
from smearlab.statistics.families import holm, identity
from smearlab.statistics.paired import FEWEST, Difference, independent

COUNTS = ("both_memorised", "teacher_only_memorised", "student_only_memorised", "neither_memorised")
ODDS = "memorisation_odds_ratio"
FEWER = "fewer"
MORE = "more"
COLUMNS = {
    **name_types(NAMES),
    "cell": "str",
    "n": "int64",
    **dict.fromkeys(COUNTS, "int64"),
    "where_teacher_did": "float64",
    "where_teacher_did_not": "float64",
    "n_odds": "int64",
    "odds_ratio": "float64",
    "odds_low": "float64",
    "odds_high": "float64",
    "passed_on": "float64",
    "difference": "float64",
    "ci_low": "float64",
    "ci_high": "float64",
    "p_value": "float64",
    "p_holm": "float64",
    "n_paired": "int64",
    "finding": "str",
    "note": "str",
}


def passed_on(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return a row per student cell with wrong labels: who memorised them, teacher, student, both or neither.

    The four counts are summed over the `n` replicates that have them, and `where_teacher_did`,
    `where_teacher_did_not` are the shares of wrong labels that the student memorises among those that its
    teacher memorised or did not, of the sums. `odds_ratio` is the geometric mean over replicates with its 95 %
    interval (t, of the logarithms): replicates are the independent units, not examples.

    `passed_on` is the mean share of all wrong labels that teacher and student both memorise, `difference` that
    of this cell minus that of the student of the cross-entropy teacher, paired by replicate, with its 95 %
    interval. Both students may have seen the wrong labels themselves, so only the difference is the teacher's.
    `finding` is `fewer` or `more` at 5 % after Holm's correction, a family as in the summary.
    """
    cells = [c for c in read(metrics, extra=(*COUNTS, ODDS)) if c.names["role"] == "student"]
    peers = Peers(cells)
    with_counts = [cell for cell in cells if _shares(cell)]
    rows = [_row(cell, peers.baseline(cell)) for cell in with_counts]
    tests = [(cell.key(FAMILY), identity(cell)) for cell in with_counts]
    adjusted = holm({t: r["p_value"] for t, r in zip(tests, rows, strict=True) if r["p_value"] is not None})
    for test, row in zip(tests, rows, strict=True):
        row["p_holm"] = adjusted.get(test) if row["p_value"] is not None else None
        row["finding"] = row["finding"] or _finding(row)
    return table(rows, COLUMNS)


def _shares(cell: Cell) -> dict[Replicate, float]:
    """Return for each replicate the share of all wrong labels that teacher and student both memorise."""
    both = cell.extra["both_memorised"]
    return {r: n / sum(cell.extra[count][r] for count in COUNTS) for r, n in both.items()}


def _row(cell: Cell, baseline: Cell | None) -> dict[str, Any]:
    shares = _shares(cell)
    difference = _difference(cell, baseline) if baseline and not cell.is_plain else Difference(())
    diverged = bool(cell.diverged or (baseline and baseline.diverged))
    tested = difference.testable and not diverged
    low, high = difference.interval() if tested else (None, None)
    return {
        **cell.names,
        "cell": cell.computation,
        "n": len(shares),
        **_pooled(cell),
        **_odds(cell.extra[ODDS]),
        "passed_on": float(np.mean(list(shares.values()))),
        "difference": difference.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": difference.p_value if tested else None,
        "n_paired": difference.n,
        "finding": _special(cell, baseline, diverged),
        "note": _note(difference) if baseline and not (cell.is_plain or diverged) else None,
    }


def _difference(cell: Cell, baseline: Cell) -> Difference:
    here, there = _shares(cell), _shares(baseline)
    return independent({r: here[r] - there[r] for r in sorted(here.keys() & there.keys())})


def _pooled(cell: Cell) -> dict[str, float | int | None]:
    counts = {count: int(sum(cell.extra[count].values())) for count in COUNTS}
    both, teacher_only, student_only, neither = counts.values()
    return {
        **counts,
        "where_teacher_did": both / (both + teacher_only) if both + teacher_only else None,
        "where_teacher_did_not": student_only / (student_only + neither) if student_only + neither else None,
    }


def _odds(ratios: Mapping[Replicate, float]) -> dict[str, float | int | None]:
    logs = independent({replicate: float(np.log(ratio)) for replicate, ratio in ratios.items()})
    low, high = logs.interval() or (None, None)
    ends = {"odds_ratio": logs.mean, "odds_low": low, "odds_high": high}
    return {"n_odds": logs.n, **{name: None if value is None else float(np.exp(value)) for name, value in ends.items()}}


def _special(cell: Cell, baseline: Cell | None, diverged: bool) -> str | None:
    if cell.is_plain:
        return words.BASELINE
    if diverged:
        return words.DIVERGED
    if baseline is None:
        return words.NO_BASELINE
    return words.IDENTICAL if cell.same_computation(baseline) else None


def _finding(row: Mapping[str, Any]) -> str:
    if row["p_holm"] is None or row["p_holm"] >= words.LEVEL:
        return words.NOT_ENOUGH
    return FEWER if row["difference"] < 0 else MORE


def _note(difference: Difference) -> str | None:
    if difference.n < FEWEST:
        return f"{difference.n} paired replicates; a test needs {FEWEST}"
    return "all differences are equal: no spread to test" if difference.all_equal else None
