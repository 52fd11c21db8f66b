"""Does a smoothed teacher help its student under noise? Against the students of plain teachers."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.phrases import evidence, place_name, span, tally
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.rules import told_apart, tone
from smearlab.report.tone import SHORT, Tone
from smearlab.statistics.verdict import MISSING

QUESTION = "Does a smoothed teacher help the student under label noise?"
EVIDENCE = ("students",)


def reply(summary: pd.DataFrame) -> Reply:
    """Return what the grid's students of smoothed teachers say."""
    rows = summary[(summary["role"] == "student") & (summary["teacher_method"] == cells.SMOOTHING)]
    rows = rows[rows["teacher_alpha"] > 0]
    noisy = rows[rows["noise_rate"] != 0]
    if not len(noisy):
        return cannot(QUESTION, "it has no student of a smoothed teacher under noise.", EVIDENCE)
    if not len(_computed(noisy)):
        return cannot(QUESTION, "the students of smoothed teachers are not computed yet.", EVIDENCE)
    found = tone(noisy)
    said = [_counted(noisy, found), *told_apart(noisy), *_largest(noisy), *_without_noise(rows)]
    return Reply(QUESTION, SHORT[found], said, found, EVIDENCE)


def _computed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[~rows["verdict"].isin([MISSING, ""])]


def _counted(noisy: pd.DataFrame, found: Tone) -> str:
    opening = "This grid cannot say: compared" if found == "unknown" else "Compared"
    return (
        f"{opening} with the students of plain teachers, having a smoothed teacher {tally(noisy['verdict'])} of "
        f"{text.counted(len(noisy), 'noisy setting')}{span(noisy, 'difference')}."
    )


def _largest(noisy: pd.DataFrame) -> list[str]:
    measured = cells.compared(noisy)
    if not len(measured):
        return []
    best = cells.furthest(measured)
    return [
        f"The largest difference, on {place_name(best)} with teacher "
        f"{text.method_phrase(best, 'teacher_')} and {text.student_label(best)}, is {text.points(best['difference'])} "
        f"points ({evidence(best)}; {best['verdict']})."
    ]


def _without_noise(rows: pd.DataFrame) -> list[str]:
    clean = _computed(rows[rows["noise_rate"] == 0])
    return [f"Without noise it {tally(clean['verdict'])} of {len(clean)}."] if len(clean) else []
