"""The headline of the page: what this grid says of the one contrast that was named before the run."""

import math
from dataclasses import dataclass, replace

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report import given_labels
from smearlab.report import mitigation as mitigated
from smearlab.report.facts import Facts, quantity
from smearlab.report.phrases import TALLY, at_noise, clause, place_name, tally
from smearlab.report.primary import primary_rows
from smearlab.report.rules import disagree, measured
from smearlab.report.tone import SHORT, Tone, tone_of
from smearlab.statistics import verdict as verdicts
from smearlab.statistics.paired import FEWEST
from smearlab.store.tables import CONDITION

MOST_CLAUSES = 4
MOST_SENTENCES = 4


@dataclass(frozen=True)
class Answer:
    """A headline, the sentences under it, and their tone."""

    headline: str
    sentences: list[str]
    tone: Tone


def answer(summary: pd.DataFrame, known: Facts, mitigation: pd.DataFrame | None = None) -> Answer:
    """Return the opening of the report: the headline contrast under noise, without noise, and its rivals.

    `mitigation`, where it was made, says whether a gain is more than the one without noise.
    """
    rows = primary_rows(summary, known)
    if not len(rows):
        return Answer("This grid cannot say.", [_no_headline(summary, known)], "unknown")
    given = rows[~given_labels.is_judged(rows, known)]
    if len(given) == len(rows):
        opening = given_labels.headline(rows, text.method_name(rows["method"].iloc[0]))
        return Answer(opening, given_labels.sentences(given, known), "unknown")
    found = _judged(summary, rows.drop(given.index), known, mitigation)
    gold = given_labels.gold_sentences(rows.drop(given.index), known)
    return replace(found, sentences=[*found.sentences, *gold, *given_labels.sentences(given, known)])


def _judged(summary: pd.DataFrame, rows: pd.DataFrame, known: Facts, mitigation: pd.DataFrame | None) -> Answer:
    """The answer of the rows whose data sets have true test labels."""
    noisy = rows[rows["noise_rate"] != 0]
    if not len(noisy):
        return Answer(_nothing_noisy(summary, known), _without_noise(rows, known), "unknown")
    name = text.method_phrase(noisy.iloc[0])
    more = mitigated.of(mitigation, noisy)
    tone = mitigated.tone(noisy, more)
    if len(noisy[CONDITION].drop_duplicates()) > 1:
        sentences = _ends(noisy, known)
        opening = (
            f"{SHORT[tone]}: of {len(noisy)} noisy settings, {name} {tally(noisy['verdict'])}{_tail(noisy, more)}."
        )
    else:
        told = [_by_rate(noisy, known), *mitigated.sentences(more), *_without_noise(rows, known)]
        sentences = [*told, *_rivals(summary, noisy)][:MOST_SENTENCES]
        opening = _headline(noisy, name, more)
    return Answer(_depends(noisy, name, more) if disagree(noisy) else opening, sentences, tone)


def _nothing_noisy(summary: pd.DataFrame, known: Facts) -> str:
    """The opening where no comparison of the headline under noise has true test labels."""
    elsewhere = summary[(summary["noise_rate"] != 0) & ~given_labels.is_judged(summary, known)]["dataset"]
    if not len(elsewhere):
        return "This grid says nothing about noise: its labels are clean."
    names = text.listing(list(dict.fromkeys(elsewhere)))
    return f"This grid cannot say what noise does: of {names}, whose labels are noisy, no true test label is known."


def _tail(noisy: pd.DataFrame, more: pd.DataFrame) -> str:
    return mitigated.counts(more) if tone_of(noisy["verdict"]) == "yes" else mitigated.where_helped(more)


def _no_headline(summary: pd.DataFrame, known: Facts) -> str:
    wanted = (known.primary or {}).get("method") or cells.SMOOTHING
    if wanted == cells.SMOOTHING and not (summary["method"] == cells.SMOOTHING).any():
        return "It compares no smoothing with cross-entropy."
    return f"The headline contrast that its config names, of {text.method_name(wanted)}, is not among its comparisons."


def _depends(noisy: pd.DataFrame, name: str, more: pd.DataFrame) -> str:
    """The opening where the verdict at one stopping rule is another one than at another.

    Where none of them helps or hurts there is nothing that depends: no difference is shown at one, none at the other.
    """
    where = noisy[CONDITION].drop_duplicates()
    verdict = pd.concat([noisy[f"verdict_{rule}"] for rule in measured(noisy)])
    decided = verdict.isin([verdicts.HELPS, verdicts.HURTS]).any()
    depends = "It depends on when training stops" if decided else "Not shown, whenever training stops"
    rest = mitigated.where_helped(more, " at the checkpoint reported") if mitigated.is_no_more_somewhere(more) else ""
    if len(where) > 1:
        tallies = {when: tally(noisy[f"verdict_{rule}"]) for rule, when in measured(noisy).items()}
        said = [f"{found} {when}" for when, found in tallies.items()]
        if len(set(tallies.values())) == 1:
            said = [f"{next(iter(tallies.values()))} by each stopping rule, but not in the same ones"]
        return f"{depends}: of {len(noisy)} noisy settings, {name} {'; it '.join(said)}{rest}."
    said = [f"{text.listing(_by_verdict(noisy, f'verdict_{rule}'))} {when}" for rule, when in measured(noisy).items()]
    return f"{depends}: {_where(noisy)}, {name} {'; it '.join(said)}{rest}."


def _headline(noisy: pd.DataFrame, name: str, more: pd.DataFrame) -> str:
    where, found = _where(noisy), tone_of(noisy["verdict"])
    match found:
        case "yes":
            return f"{SHORT[mitigated.tone(noisy, more)]}: {where}, {name} helped{mitigated.tail(more)}."
        case "no":
            return f"No: {where}, {name} {_no(set(noisy['verdict']))}."
        case "unknown":
            yet = " yet" if verdicts.MISSING in set(noisy["verdict"]) else ""
            return f"This grid cannot say{yet} whether {name} helps {where}."
    said = f"{name} {text.listing(_by_verdict(noisy))}{mitigated.where_helped(more)}"
    return f"{SHORT[mitigated.tone(noisy, more)]}: {where}, {said}."


def _where(noisy: pd.DataFrame) -> str:
    return f"on {noisy['dataset'].iloc[0]} with {noisy['noise'].iloc[0].replace('_', ' ')} noise"


def _no(found: set[str]) -> str:
    if found == {verdicts.HURTS}:
        return "hurt"
    return "made no practical difference" if found == {verdicts.NO_DIFFERENCE} else "did not help"


def _by_verdict(noisy: pd.DataFrame, column: str = "verdict") -> list[str]:
    groups: dict[str, list[str]] = {}
    for _, row in noisy.iterrows():
        said = TALLY.get(row[column] or verdicts.MISSING, TALLY[verdicts.NOT_ENOUGH]).removesuffix(" in")
        groups.setdefault(said, []).append(text.rate(row["noise_rate"]))
    if noisy["noise_rate"].isna().all():
        return list(groups)
    return [f"{said} at {text.listing(rates)}" for said, rates in groups.items()]


def _by_rate(noisy: pd.DataFrame, known: Facts) -> str:
    measured = quantity(noisy, known)
    kept = noisy if len(noisy) <= MOST_CLAUSES else noisy.iloc[[0, len(noisy) // 2, len(noisy) - 1]]
    subjects = [text.method_phrase(kept.iloc[0]), *["it"] * (len(kept) - 1)]
    parts = [
        f"{at_noise(row['noise_rate'], 'on these labels')} {subject} {clause(row, measured)}"
        for subject, (_, row) in zip(subjects, kept.iterrows(), strict=True)
    ]
    rest = "" if len(kept) == len(noisy) else f" ({len(noisy) - len(kept)} more rates are below)"
    return f"Compared with cross-entropy on the same labels, {'; '.join(parts)}{rest}."


def _without_noise(rows: pd.DataFrame, known: Facts) -> list[str]:
    clean = rows[rows["noise_rate"] == 0]
    return [f"Without noise it {clause(clean.iloc[0], quantity(clean, known))}."] if len(clean) else []


def _rivals(summary: pd.DataFrame, noisy: pd.DataFrame) -> list[str]:
    """The highest mean at the highest rate, named as found in hindsight, of what finished in as many replicates."""
    last = noisy.iloc[-1]
    there = cells.at_place(summary[(summary["role"] == "teacher") & (summary["n"] > 0)], last)
    rows = there[(there["n_finished"] == there["n_finished"].max()) & (there["verdict"] != verdicts.DIVERGED)]
    if len(rows) < 2 or rows["n_finished"].iloc[0] < FEWEST or last["key"] not in set(rows["key"]):
        return []
    best, where = cells.highest(rows, "mean"), at_noise(last["noise_rate"], "there")
    if len(rows) < len(there):
        where += f" among those finished in all {rows['n_finished'].iloc[0]:.0f} replicates"
    if best["key"] == last["key"]:
        return [f"Of all methods tried {where} it also has the highest mean, {_mean(best)}."]
    if best["method"] == cells.PLAIN:
        return [f"The highest mean {where} is cross-entropy's own, {_mean(best)}."]
    return [f"The highest mean {where}, picked in hindsight, is that of {text.method_phrase(best)} ({_beside(best)})."]


def _beside(best: pd.Series) -> str:
    if math.isnan(best["difference"]):
        return f"{text.percent(best['mean'])}, n = {best['n_finished']:.0f}"
    return f"{text.points(best['difference'])} points, verdict: {best['verdict']}, n = {best['n_paired']:.0f} pairs"


def _mean(row: pd.Series) -> str:
    return f"{text.percent(row['mean'])} (n = {row['n_finished']:.0f})"


def _ends(noisy: pd.DataFrame, known: Facts) -> list[str]:
    """Of many settings those with the largest and the smallest difference."""
    measured = cells.compared(noisy)
    if not len(measured):
        return ["None of them can be compared."]
    ends = {"Best": cells.highest(measured), "Worst": cells.lowest(measured)}
    if len(measured) == 1:
        return [_end("The only comparison made", ends["Best"], quantity(noisy, known))]
    return [_end(word, row, quantity(noisy, known)) for word, row in ends.items()]


def _end(word: str, row: pd.Series, measured: str) -> str:
    of = word if word.startswith("The") else f"{word} for it"
    return f"{of} is {place_name(row)}, where {text.method_phrase(row)} {clause(row, measured)}."
