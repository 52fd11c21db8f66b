"""What several verdicts amount to: the tone of an answer and the word for it."""

from typing import Literal

import pandas as pd

from smearlab.statistics.given_labels import AGREEMENT
from smearlab.statistics.verdict import BASELINE, HELPS, HURTS, IDENTICAL, NO_DIFFERENCE, UNDECIDED

Tone = Literal["yes", "no", "partly", "unshown", "unknown"]

SHORT: dict[Tone, str] = {
    "yes": "Yes",
    "no": "No",
    "partly": "In part",
    "unshown": "Not shown",
    "unknown": "Cannot say",
}
NO_GAIN = {HURTS, NO_DIFFERENCE}
SAYS_NOTHING = {*UNDECIDED, *AGREEMENT, IDENTICAL, BASELINE, ""}


def tone_of(verdicts: pd.Series) -> Tone:
    """Return the tone of verdicts: yes if all help, no if all are shown not to, unknown if none says anything."""
    found = set(verdicts)
    if found <= SAYS_NOTHING:
        return "unknown"
    if HELPS not in found:
        return "no" if found <= NO_GAIN else "unshown"
    return "yes" if found == {HELPS} else "partly"
