"""Does a smoothed or corrected teacher pass on fewer of the wrong labels?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import NAMES, Cell, Peers, Replicate, name_types, read, table, types_of
from smearlab.statistics.families import holm, hypothesis
from smearlab.statistics.paired import FEWEST, Difference, independent
from smearlab.statistics.simultaneous import simultaneous_of

BOTH, TEACHER_ONLY = "both_memorised", "teacher_only_memorised"
STUDENT_ONLY, NEITHER = "student_only_memorised", "neither_memorised"
COUNTS = (BOTH, TEACHER_ONLY, STUDENT_ONLY, NEITHER)
TAUGHT = (BOTH, TEACHER_ONLY)
UNTAUGHT = (STUDENT_ONLY, NEITHER)
ODDS = "memorisation_odds_ratio"
FEWER = "fewer"
MORE = "more"
COLUMNS = {**name_types(NAMES), **types_of(columns.PASSED_ON)}


def passed_on(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return a row per student cell with wrong labels: who memorised them, teacher, student, both or neither.

    The four counts are summed over the `n` replicates that have them; all else is a mean over replicates, which
    are the independent units. `where_teacher_did` and `where_teacher_did_not` are the shares of wrong labels that
    the student memorises among those that its teacher memorised, or did not; `odds_ratio` is the geometric mean
    with its 95 % interval (t, of the logarithms); `passed_on` is the share of all wrong labels that teacher and
    student both memorise.

    `difference` is `passed_on` minus that of the student of the cross-entropy teacher, paired by replicate, with
    its 95 % interval and its p. Both students may have seen the wrong labels themselves, so only the difference
    is the teacher's. `finding` is `fewer` or `more` at 5 % after Holm's correction, a family as in the summary.
    A teacher that memorises less has less to pass on: `where_teacher_did_difference` is the same difference of
    the share among the wrong labels that the teacher memorised, described and not tested.
    """
    cells = [c for c in read(metrics, extra=(*COUNTS, ODDS)) if c.names["role"] == "student"]
    peers = Peers(cells)
    with_counts = [cell for cell in cells if _shares(cell)]
    rows = [_row(cell, peers.baseline(cell)) for cell in with_counts]
    tests = [hypothesis(cell) for cell in with_counts]
    p_values = {t: r["p_value"] for t, r in zip(tests, rows, strict=True) if r["p_value"] is not None}
    adjusted = holm(p_values)
    for test, row, cell in zip(tests, rows, with_counts, strict=True):
        tested = row["p_value"] is not None
        row["p_holm"] = adjusted.get(test) if tested else None
        difference = _difference(cell, _compared(cell, peers.baseline(cell)), COUNTS)
        row |= simultaneous_of(p_values if tested else (), test, difference, row["p_holm"])
        row["finding"] = row["finding"] or _finding(row)
    return table(rows, COLUMNS)


def _shares(cell: Cell, part: str = BOTH, among: Sequence[str] = COUNTS) -> dict[Replicate, float]:
    """Return for each replicate the share of a count among the sum of some; left out where that sum is 0."""
    sums = {r: sum(cell.extra[count][r] for count in among) for r in cell.extra[part]}
    return {r: cell.extra[part][r] / total for r, total in sums.items() if total}


def _row(cell: Cell, baseline: Cell | None) -> dict[str, Any]:
    compared = _compared(cell, baseline)
    difference, of_taught = _difference(cell, compared, COUNTS), _difference(cell, compared, TAUGHT)
    diverged = bool(cell.diverged or (baseline and baseline.diverged))
    return {
        **cell.names,
        "cell": cell.computation,
        "n": len(_shares(cell)),
        **{count: int(sum(cell.extra[count].values())) for count in COUNTS},
        "where_teacher_did": _mean(_shares(cell, BOTH, TAUGHT)),
        "where_teacher_did_not": _mean(_shares(cell, STUDENT_ONLY, UNTAUGHT)),
        **_odds(cell.extra[ODDS]),
        "passed_on": _mean(_shares(cell)),
        **_with_interval(difference, ("difference", "ci_low", "ci_high"), not diverged),
        "p_value": None if diverged else difference.p_value,
        "n_paired": difference.n,
        **_with_interval(
            of_taught, [f"where_teacher_did_{end}" for end in ("difference", "low", "high")], not diverged
        ),
        "finding": _special(cell, baseline, diverged),
        "note": _note(difference) if compared and not diverged else None,
    }


def _compared(cell: Cell, baseline: Cell | None) -> Cell | None:
    return None if cell.is_plain else baseline


def _difference(cell: Cell, baseline: Cell | None, among: Sequence[str]) -> Difference:
    """Return the paired difference of the share that both memorise among some; empty without a baseline."""
    here, there = _shares(cell, among=among), _shares(baseline, among=among) if baseline else {}
    return independent({r: here[r] - there[r] for r in sorted(here.keys() & there.keys())})


def _with_interval(difference: Difference, names: Sequence[str], tested: bool) -> dict[str, float | None]:
    ends = difference.interval() if tested else None
    return dict(zip(names, (difference.mean, *(ends or (None, None))), strict=True))


def _mean(shares: Mapping[Replicate, float]) -> float | None:
    return float(np.mean(list(shares.values()))) if shares else None


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
        return words.undecided(row["p_value"])
    return FEWER if row["difference"] < 0 else MORE


def _note(difference: Difference) -> str | None:
    if difference.n < FEWEST:
        return f"{difference.n} paired replicates; a test needs {FEWEST}"
    return "all differences are equal: no spread to test" if difference.all_equal else None
