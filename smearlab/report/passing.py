"""What the page says of wrong labels that go from teacher to student."""

import math
from collections import Counter

import pandas as pd

from smearlab.figures import _format as text
from smearlab.report import words
from smearlab.report.blocks import SLUGS, Field, Table, place, table
from smearlab.statistics.passed_on import COUNTS, FEWER, MORE
from smearlab.store.tables import TEXT_KEYS, Tables, cell_keys, regular

QUESTION = "Does a smoothed or corrected teacher pass on fewer of the wrong labels?"
MOST_ROWS = 400
GROUPS = {"smoothed": (words.SMOOTHING,), "corrected": words.CORRECTIONS}
TALLY = {
    FEWER: "pass on fewer wrong labels in",
    MORE: "pass on more wrong labels in",
    "not enough data": "are undecided in",
    "identical": "are the same computation in",
    "diverged": "are not tested, because of divergence, in",
    "no baseline": "have nothing to be compared with in",
}
AS_VERDICT = {FEWER: "helps", MORE: "hurts"}
CHIPS = {**SLUGS, FEWER: "fewer", MORE: "more"}
NUMBERS = [
    *("n", *COUNTS, "where_teacher_did", "where_teacher_did_not", "odds_ratio", "odds_low", "odds_high"),
    *("passed_on", "difference", "ci_low", "ci_high", "p_holm", "n_paired"),
    *("where_teacher_did_difference", "where_teacher_did_low", "where_teacher_did_high"),
]


def rows_of(tables: Tables) -> pd.DataFrame:
    """Return the statistics of passed-on labels in the regular form; empty where they were not made."""
    rows = regular(tables.passed_on, NUMBERS, [*TEXT_KEYS, "finding", "note"])
    return rows.assign(key=cell_keys(rows))


def block(tables: Tables) -> Table | None:
    """Return the two-by-two counts of every student cell with wrong labels, with what follows from them."""
    rows = rows_of(tables)
    if not len(rows):
        return None
    note = f"The first {MOST_ROWS} of {len(rows)}; all are in passed_on.csv." if len(rows) > MOST_ROWS else ""
    return table("Who memorised which wrong label", [_row(row) for _, row in rows.head(MOST_ROWS).iterrows()], note)


def _row(row: pd.Series) -> dict[str, Field]:
    both, teacher_only, student_only, neither = (f"{row[count]:.0f}" for count in COUNTS)
    finding = row["finding"]
    return {
        **place(row),
        "teacher": Field(text.method_label(row, "teacher_")),
        "student": Field(text.student_label(row)),
        "n": Field(f"{row['n']:.0f}"),
        "both": Field(both),
        "teacher only": Field(teacher_only),
        "student only": Field(student_only),
        "neither": Field(neither),
        "odds ratio": Field(_ratio(row["odds_ratio"])),
        "its interval": Field(_ratios(row["odds_low"], row["odds_high"])),
        "passed on": Field(text.percent(row["passed_on"])),
        "to plain teacher's student": Field(text.points(row["difference"])),
        "its 95 % interval": Field(text.interval(row["ci_low"], row["ci_high"])),
        "p (Holm)": Field(text.p_value(row["p_holm"])),
        "finding": Field(finding, CHIPS.get(finding, "open")),
        "student does where teacher did": Field(text.percent(row["where_teacher_did"])),
        "where it did not": Field(text.percent(row["where_teacher_did_not"])),
    }


def _ratio(value: float) -> str:
    return text.DASH if math.isnan(value) else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _ratios(low: float, high: float) -> str:
    return text.DASH if math.isnan(low) or math.isnan(high) else f"{_ratio(low)} to {_ratio(high)}"


def reply(tables: Tables) -> words.Reply:
    """Answer from the numbers whether smoothed and corrected teachers pass on fewer wrong labels than plain ones."""
    rows = rows_of(tables)
    treated = {name: _of(rows, methods) for name, methods in GROUPS.items()}
    asked = pd.concat(treated.values())
    if not len(asked):
        return words.cannot(QUESTION, "it has no student of a smoothed or corrected teacher under noise.", [])
    tone = words.tone_of(asked["finding"].replace(AS_VERDICT))
    parts = [f"{name} ones {_tally(group)}" for name, group in treated.items() if len(group)]
    opening = "This grid cannot say: compared" if tone == "unknown" else "Compared"
    said = [f"{opening} with plain teachers, {'; '.join(parts)} (Holm-corrected)."]
    said += [*_largest(asked, rows), *_among_taught(treated), *_odds(rows)]
    return words.Reply(QUESTION, words.short(tone), said, tone, ["students", "memorised_recovered"])


def _of(rows: pd.DataFrame, methods: tuple[str, ...]) -> pd.DataFrame:
    positive = rows["teacher_alpha"].isna() | (rows["teacher_alpha"] > 0)
    return rows[rows["teacher_method"].isin(methods) & positive]


def _tally(group: pd.DataFrame) -> str:
    counts = Counter(group["finding"])
    found = [f"{said} {counts[finding]}" for finding, said in TALLY.items() if counts[finding]]
    return f"{text.listing(found)} of {text.counted(len(group), 'noisy setting')}"


def _largest(asked: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    measured = asked[asked["difference"].notna()]
    if not len(measured):
        return []
    row = measured.loc[measured["difference"].abs().idxmax()]
    interval = text.interval(row["ci_low"], row["ci_high"])
    evidence = "" if interval == text.DASH else f"95 % interval {interval}, "
    teacher = text.method_phrase(row, "teacher_")
    return [
        f"The largest difference: at {text.rate(row['noise_rate'])} noise teacher ({teacher}) and student "
        f"({text.student_label(row)}) both memorise {text.percent(row['passed_on'])} of the wrong labels, "
        f"{text.points(row['difference'])} points against a plain teacher and its student "
        f"({evidence}n = {text.counted(int(row['n_paired']), 'pair')})."
    ]


def _among_taught(treated: dict[str, pd.DataFrame]) -> list[str]:
    """Whether fewer are passed on only because a teacher that memorises less has less to pass on."""
    parts = []
    for name, group in treated.items():
        known = group[group["where_teacher_did_low"].notna()]
        if len(known):
            less, more = (known["where_teacher_did_high"] < 0).sum(), (known["where_teacher_did_low"] > 0).sum()
            parts.append(f"{name}, a smaller share in {less} and a larger one in {more} of {len(known)} settings")
    if not parts:
        return []
    return [
        "Of the wrong labels that a teacher did memorise, its student takes over, beside the student of a plain one: "
        f"{'; '.join(parts)} (by 95 % intervals, not tested)."
    ]


def _odds(rows: pd.DataFrame) -> list[str]:
    known = rows[rows["odds_low"].notna()]
    if not len(known):
        return []
    above = int((known["odds_low"] > 1).sum())
    span = _ratios(known["odds_ratio"].min(), known["odds_ratio"].max())
    return [
        f"In {above} of {text.counted(len(known), 'student cell')} the odds that a student memorises a wrong label are "
        f"higher where its teacher did, by the interval (odds ratios {span})."
    ]
