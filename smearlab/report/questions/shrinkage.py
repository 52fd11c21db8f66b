"""Is it because it shrinks like ℓ2? Only a sweep of weight decay beside α can tell."""

from collections import Counter

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.phrases import evidence, place_name
from smearlab.report.primary import primary_rows
from smearlab.report.questions._reply import Reply, cannot
from smearlab.report.tone import NO_GAIN, SHORT, Tone
from smearlab.statistics.verdict import HELPS
from smearlab.store.tables import CONDITION

QUESTION = "Is it because smoothing shrinks the weights, as ℓ2 does?"
EVIDENCE = ("methods", "margins")
DECAY = "weight_decay"
SHRINKING = {"logit_spread": "the spread of the logits", "weight_norm": "the norm of the weights"}
BOTH, ONLY_SMOOTHING, OPEN, NEITHER = "both", "only smoothing", "open", "nothing to explain"


def reply(summary: pd.DataFrame, known: Facts, metrics: pd.DataFrame | None = None) -> Reply:
    """Return what weight decay in smoothing's place says, and how far each shrinks what `metrics` measured."""
    teachers = summary[(summary["role"] == "teacher") & (summary["noise_rate"] != 0)]
    shrunk = [] if metrics is None else _shrunk(teachers, metrics, known)
    decay = teachers[teachers["method"] == DECAY]
    if not len(decay):
        return cannot(QUESTION, "it has no plain training with stronger weight decay beside it.", EVIDENCE, shrunk)
    smoothing = teachers[(teachers["method"] == cells.SMOOTHING) & (teachers["alpha"] > 0)]
    places = [row for _, row in decay.drop_duplicates([*CONDITION, "noise_rate"]).iterrows()]
    outcomes = Counter(_outcome(cells.at_place(smoothing, p), cells.at_place(decay, p)) for p in places)
    tone, short, sentence = _weighed(outcomes, text.counted(len(places), "noisy setting"))
    return Reply(QUESTION, short, [sentence, _best_decay(decay, smoothing), *shrunk], tone, EVIDENCE)


def _outcome(smoothing: pd.DataFrame, decay: pd.DataFrame) -> str:
    if HELPS not in set(smoothing["verdict"]):
        return NEITHER
    if HELPS in set(decay["verdict"]):
        return BOTH
    return ONLY_SMOOTHING if set(decay["verdict"]) <= NO_GAIN else OPEN


def _weighed(outcomes: Counter[str], places: str) -> tuple[Tone, str, str]:
    both, only = outcomes[BOTH], outcomes[ONLY_SMOOTHING]
    if both and only:
        said = f"Weight decay helped where smoothing did in {both} of {places}, not in {only}."
        return "partly", "Not everywhere", said
    if both:
        said = f"In {both} of {places} both some smoothing and some stronger weight decay helped"
        return "partly", "It could be", f"{said}: that is what the ℓ2 reading predicts, and does not prove it."
    if only:
        said = f"In {only} of {places} some smoothing helped and no weight decay tried did"
        return "no", "Not by that alone", f"{said}: that speaks against the ℓ2 reading, for the strengths tried."
    return "unknown", SHORT["unknown"], f"This grid cannot say: {_unknown(outcomes, places)}"


def _unknown(outcomes: Counter[str], places: str) -> str:
    if outcomes[OPEN]:
        return f"in {outcomes[OPEN]} of {places} some smoothing helped, and some weight decay is not decided."
    return f"in {places} no smoothing helped, so nothing needs explaining."


def _best_decay(decay: pd.DataFrame, smoothing: pd.DataFrame) -> str:
    measured = cells.compared(decay)
    if not len(measured):
        return "No weight decay is compared."
    best = cells.highest(measured)
    return (
        f"The best stronger decay, {text.method_phrase(best)} on {place_name(best)}, differs from plain training by "
        f"{text.points(best['difference'])} points ({evidence(best)}; {best['verdict']})"
        f"{_best_smoothing_at(best, smoothing)}."
    )


def _best_smoothing_at(place: pd.Series, smoothing: pd.DataFrame) -> str:
    there = cells.at_place(cells.compared(smoothing), place)
    if not len(there):
        return ""
    best = cells.highest(there)
    return f", the best smoothing there ({text.method_phrase(best)}) by {text.points(best['difference'])}"


def _shrunk(teachers: pd.DataFrame, metrics: pd.DataFrame, known: Facts) -> list[str]:
    """How far smoothing, and decay beside it, shrink the logits and the weights, where that was measured."""
    primary = primary_rows(teachers, known)
    if not len(primary):
        return []
    last = primary.iloc[-1]
    rows = [last, *_beside(cells.at_place(teachers, last))]
    return [
        f"On {place_name(last)} {what} is {text.listing(parts)}."
        for column, what in SHRINKING.items()
        if column in metrics and len(parts := _means(rows, metrics, column)) == len(rows) > 1
    ]


def _beside(here: pd.DataFrame) -> list[pd.Series]:
    """The plain training and the best stronger decay of one place, as far as they are there."""
    decay = cells.compared(here[here["method"] == DECAY]).nlargest(1, "difference")
    plain = here[here["method"] == cells.PLAIN].head(1)
    return [row for _, row in pd.concat([plain, decay]).iterrows()]


def _means(rows: list[pd.Series], metrics: pd.DataFrame, column: str) -> list[str]:
    """Return the mean of a column for each row that has one, with its method and n."""
    values = pd.to_numeric(metrics[column], errors="coerce")
    found = [(row, values[metrics["key"] == row["key"]].dropna()) for row in rows]
    return [
        f"{text.plain(measured.mean())} with {text.method_phrase(row)} (n = {len(measured)})"
        for row, measured in found
        if len(measured)
    ]
