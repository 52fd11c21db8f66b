"""Does a smoothed or corrected teacher pass on fewer of the wrong labels than a plain one?"""

from collections import Counter

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.memorisation import passed_on_rows, ratios
from smearlab.report.phrases import place_name
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.questions.loss_corrections import CORRECTIONS
from smearlab.report.tone import SHORT, Tone, tone_of
from smearlab.statistics import verdict as verdicts
from smearlab.statistics.passed_on import FEWER, MORE
from smearlab.store.tables import Tables

QUESTION = "Does a smoothed or corrected teacher pass on fewer of the wrong labels?"
EVIDENCE = ("students", "memorised_recovered")
GROUPS = {"smoothed": (cells.SMOOTHING,), "corrected": CORRECTIONS}
AS_VERDICT = {FEWER: verdicts.HELPS, MORE: verdicts.HURTS}
TALLY = {
    FEWER: "pass on fewer wrong labels in",
    MORE: "pass on more wrong labels in",
    **dict.fromkeys(verdicts.OPEN, "are undecided in"),
    verdicts.IDENTICAL: "are the same computation in",
    verdicts.DIVERGED: "are not tested, because of divergence, in",
    verdicts.NO_BASELINE: "have nothing to be compared with in",
}


def reply(tables: Tables) -> Reply:
    """Answer from the numbers whether smoothed and corrected teachers pass on fewer wrong labels than plain ones."""
    rows = passed_on_rows(tables)
    treated = {name: _of(rows, methods) for name, methods in GROUPS.items()}
    asked = pd.concat(treated.values())
    if not len(asked):
        return cannot(QUESTION, "it has no student of a smoothed or corrected teacher under noise.", ())
    tone = tone_of(asked["finding"].replace(AS_VERDICT))
    said = [_counted(treated, tone), *_largest(asked), *_among_taught(treated), *_odds(rows)]
    return Reply(QUESTION, SHORT[tone], said, tone, EVIDENCE)


def _of(rows: pd.DataFrame, methods: tuple[str, ...]) -> pd.DataFrame:
    positive = rows["teacher_alpha"].isna() | (rows["teacher_alpha"] > 0)
    return rows[rows["teacher_method"].isin(methods) & positive]


def _counted(treated: dict[str, pd.DataFrame], tone: Tone) -> str:
    parts = [f"{name} ones {_tally(group)}" for name, group in treated.items() if len(group)]
    opening = "This grid cannot say: compared" if tone == "unknown" else "Compared"
    return f"{opening} with plain teachers, {'; '.join(parts)} (Holm-corrected)."


def _tally(group: pd.DataFrame) -> str:
    counts = Counter(group["finding"].map(TALLY))
    found = [f"{said} {counts[said]}" for said in dict.fromkeys(TALLY.values()) if counts[said]]
    return f"{text.listing(found)} of {text.counted(len(group), 'noisy setting')}"


def _largest(asked: pd.DataFrame) -> list[str]:
    measured = asked[asked["difference"].notna() & (asked["finding"] != verdicts.DIVERGED)]
    if not len(measured):
        return []
    row = cells.furthest(measured)
    interval = text.interval(*cells.ends_beside(row))
    evidence = "" if interval == text.DASH else f"95 % interval {interval}, "
    teacher = text.method_phrase(row, "teacher_")
    return [
        f"The largest difference: on {place_name(row)} teacher ({teacher}) and student "
        f"({text.student_label(row)}) both memorise {text.percent(row['passed_on'])} of the wrong labels, "
        f"{text.points(row['difference'])} points against a plain teacher and its student "
        f"({evidence}n = {text.counted(int(row['n_paired']), 'pair')})."
    ]


def _among_taught(treated: dict[str, pd.DataFrame]) -> list[str]:
    """Whether fewer are passed on only because a teacher that memorises less has less to pass on."""
    known = {name: group[group["where_teacher_did_low"].notna()] for name, group in treated.items()}
    parts = [_taught_share(name, group) for name, group in known.items() if len(group)]
    if not parts:
        return []
    return [
        "Of the wrong labels that a teacher did memorise, its student takes over, beside the student of a plain one: "
        f"{'; '.join(parts)} (by 95 % intervals, not tested)."
    ]


def _taught_share(name: str, group: pd.DataFrame) -> str:
    less, more = (group["where_teacher_did_high"] < 0).sum(), (group["where_teacher_did_low"] > 0).sum()
    return f"{name}, a smaller share in {less} and a larger one in {more} of {len(group)} settings"


def _odds(rows: pd.DataFrame) -> list[str]:
    known = rows[rows["odds_low"].notna()]
    if not len(known):
        return []
    above = int((known["odds_low"] > 1).sum())
    extent = ratios(known["odds_ratio"].min(), known["odds_ratio"].max())
    return [
        f"In {above} of {text.counted(len(known), 'student cell')} the odds that a student memorises a wrong label are "
        f"higher where its teacher did, by the interval (odds ratios {extent})."
    ]
