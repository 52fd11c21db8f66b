"""What the grid says to one question."""

from collections.abc import Sequence
from dataclasses import dataclass

from smearlab.report.tone import SHORT, Tone


@dataclass(frozen=True)
class Reply:
    """One research question with what this grid says to it and the figures that show it."""

    question: str
    short: str
    sentences: list[str]
    tone: Tone
    evidence: Sequence[str]


def cannot(question: str, why: str, evidence: Sequence[str], more: Sequence[str] = ()) -> Reply:
    """Return the reply of a grid that cannot say, with the reason and what it has all the same."""
    return Reply(question, SHORT["unknown"], [f"This grid cannot say: {why}", *more], "unknown", evidence)
