"""The report's sentences, each a pure function of the numbers of this grid: it says no more than they do."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from smearlab.figures import _format as text
from smearlab.statistics.variance import binomial_standard_error
from smearlab.store.tables import CONDITION, Tables

PLAIN, SMOOTHING, DECAY = "cross_entropy", "label_smoothing", "weight_decay"
CORRECTIONS = ("forward", "backward")
SYMMETRIC = ("symmetric", "uniform_redraw")
UNKNOWN = ("not enough data", "diverged", "missing", "no baseline", "")
MOST_CLAUSES = 4
MOST_NAMED = 3
SHRINKING = {"logit_spread": "the spread of the logits", "weight_norm": "the norm of the weights"}

Tone = Literal["yes", "no", "partly", "unshown", "unknown"]


@dataclass(frozen=True)
class Answer:
    """A headline, the sentences under it, and their tone."""

    headline: str
    sentences: list[str]
    tone: Tone


@dataclass(frozen=True)
class Reply:
    """One research question with what this grid says to it and the figures that show it."""

    question: str
    short: str
    sentences: list[str]
    tone: Tone
    evidence: list[str]


@dataclass(frozen=True)
class Facts:
    """What the sentences need beside the summary: kinds of noise, known labels, the headline contrast."""

    kinds: dict[str, str] = field(default_factory=dict)
    clean: dict[str, bool] = field(default_factory=dict)
    n_test: dict[str, int] = field(default_factory=dict)
    primary: dict[str, Any] | None = None
    margin: float = 0.5


def facts(tables: Tables) -> Facts:
    """Collect the facts of a grid from its config, context and metrics."""
    noises = tables.config.get("noises", {})
    known = tables.metrics["test_accuracy"].notna().groupby(tables.metrics["dataset"]).any()
    return Facts(
        kinds={name: noise.get("kind", name) for name, noise in noises.items()},
        clean={dataset: bool(value) for dataset, value in known.items()},
        n_test={name: d["n_test"] for name, d in tables.context.get("datasets", {}).items() if d.get("n_test")},
        primary=tables.config.get("primary"),
        margin=float(tables.config.get("margin", 0.5)),
    )


def primary_rows(summary: pd.DataFrame, known: Facts) -> pd.DataFrame:
    """Return the teacher rows of the headline contrast: flagged, named in the config, or smoothing nearest 0.1."""
    teachers = summary[summary["role"] == "teacher"]
    if "primary" in teachers and _flags(teachers["primary"]).any():
        return teachers[_flags(teachers["primary"])]
    wanted = known.primary or {"method": SMOOTHING}
    rows = teachers[teachers["method"] == wanted["method"]]
    if wanted.get("transition"):
        rows = rows[rows["transition"] == wanted["transition"]]
    if wanted.get("alpha") is not None:
        return rows[rows["alpha"] == wanted["alpha"]]
    rows = rows[(rows["alpha"] > 0) | rows["alpha"].isna()]
    if not len(rows) or rows["alpha"].isna().all():
        return rows.drop_duplicates([*CONDITION, "noise_rate"])
    nearest = rows["alpha"].iloc[int((rows["alpha"] - 0.1).abs().argmin())]
    return rows[rows["alpha"] == nearest]


def _flags(values: pd.Series) -> pd.Series:
    return values.map(lambda value: str(value).lower() in ("true", "1", "1.0")).astype(bool)


def quantity(rows: pd.DataFrame, known: Facts) -> str:
    """Return what the accuracies of these rows are measured against."""
    clean = {known.clean.get(dataset, True) for dataset in rows["dataset"].unique()}
    return "test accuracy" if clean in ({True}, set()) else "accuracy on noisy test labels"


def clause(row: pd.Series, measured: str = "test accuracy") -> str:
    """Return what one comparison shows, as the predicate of a sentence, with its interval and n."""
    evidence = _evidence(row)
    match row["verdict"]:
        case "helps":
            return f"raised {measured} by {text.size(row['difference'])} points ({evidence})"
        case "hurts":
            return f"lowered {measured} by {text.size(row['difference'])} points ({evidence})"
        case "no practical difference":
            return f"made no practical difference to {measured} ({text.points(row['difference'])} points, {evidence})"
        case "identical":
            return "is the same computation as cross-entropy"
        case "diverged":
            return f"is not tested, because training diverged ({_diverged(row)})"
        case "no baseline":
            return "has no cross-entropy to be compared with yet"
        case "not enough data":
            return f"shows no decided difference ({_known_difference(row)}{evidence})"
    return "is not computed yet" if not row["n"] > 0 else f"is not compared (n = {row['n']:.0f})"


def _evidence(row: pd.Series) -> str:
    n = f"n = {row['n_paired']:.0f} pair{'' if row['n_paired'] == 1 else 's'}"
    if np.isnan(row["ci_low"]) or np.isnan(row["ci_high"]):
        return n
    return f"95 % interval {text.interval(row['ci_low'], row['ci_high'])}, {n}"


def _known_difference(row: pd.Series) -> str:
    return "" if np.isnan(row["difference"]) else f"{text.points(row['difference'])} points, "


def _diverged(row: pd.Series) -> str:
    """k of n; where this side finished, its baseline is the one that did not."""
    if not row["n_diverged"] > 0:
        return "in the networks it is compared with"
    return f"{row['n_diverged']:.0f} of {row['n']:.0f} replicates"


def answer(summary: pd.DataFrame, known: Facts) -> Answer:
    """Return the opening of the report: the headline contrast under noise, without noise, and its rivals."""
    rows = primary_rows(summary, known)
    if not len(rows):
        return Answer("This grid cannot say.", ["It compares no smoothing with cross-entropy."], "unknown")
    noisy = rows[rows["noise_rate"] != 0]
    if not len(noisy):
        opening = "This grid says nothing about noise: its labels are clean."
        return Answer(opening, _without_noise(rows, known), "unknown")
    name = _article(rows)
    tone = tone_of(noisy["verdict"])
    if len(noisy[CONDITION].drop_duplicates()) > 1:
        return Answer(_many_headline(noisy, name), _many_sentences(noisy, known), tone)
    sentences = [_by_rate(noisy, known), *_without_noise(rows, known), *_rivals(summary, noisy, known)]
    return Answer(_headline(noisy, name, tone), sentences[:3], tone)


def _article(rows: pd.DataFrame) -> str:
    return text.method_name(rows["method"].iloc[0])


def tone_of(verdicts: pd.Series) -> Tone:
    found = set(verdicts)
    if found <= {*UNKNOWN, "identical", "baseline"}:
        return "unknown"
    if "helps" not in found:
        return "no" if found <= {"hurts", "no practical difference"} else "unshown"
    return "yes" if found == {"helps"} else "partly"


def _headline(noisy: pd.DataFrame, name: str, tone: Tone) -> str:
    found = set(noisy["verdict"])
    where = f"on {noisy['dataset'].iloc[0]} with {noisy['noise'].iloc[0].replace('_', ' ')} noise"
    if tone == "yes":
        return f"Yes: {where}, {name} helped."
    if found == {"hurts"}:
        return f"No: {where}, {name} hurt."
    if found == {"no practical difference"}:
        return f"No: {where}, {name} made no practical difference."
    if tone == "no":
        return f"No: {where}, {name} did not help."
    if tone == "unknown":
        yet = " yet" if "missing" in found else ""
        return f"This grid cannot say{yet} whether {name} helps {where}."
    opening = "Not shown" if tone == "unshown" else "In part"
    return f"{opening}: {where}, {name} {text.listing(_by_verdict(noisy))}."


def _by_verdict(noisy: pd.DataFrame) -> list[str]:
    groups: dict[str, list[str]] = {}
    for _, row in noisy.iterrows():
        said = TALLY.get(row["verdict"] or "missing", "is undecided in").removesuffix(" in")
        groups.setdefault(said, []).append(text.rate(row["noise_rate"]))
    return [f"{verdict} at {text.listing(rates)}" for verdict, rates in groups.items()]


def _by_rate(noisy: pd.DataFrame, known: Facts) -> str:
    measured = quantity(noisy, known)
    kept = noisy if len(noisy) <= MOST_CLAUSES else noisy.iloc[[0, len(noisy) // 2, len(noisy) - 1]]
    parts = []
    for i, (_, row) in enumerate(kept.iterrows()):
        where = (
            f"at {text.rate(row['noise_rate'])} noise" if row["noise_rate"] == row["noise_rate"] else "on these labels"
        )
        subject = f"{text.method_phrase(row)} {clause(row, measured)}" if i == 0 else f"it {clause(row, measured)}"
        parts.append(f"{where} {subject}")
    rest = "" if len(kept) == len(noisy) else f" ({len(noisy) - len(kept)} more rates are below)"
    sentence = "; ".join(parts)
    return f"Compared with cross-entropy on the same labels, {sentence}{rest}."


def _without_noise(rows: pd.DataFrame, known: Facts) -> list[str]:
    clean = rows[rows["noise_rate"] == 0]
    if not len(clean):
        return []
    row = clean.iloc[0]
    return [f"Without noise it {clause(row, quantity(clean, known))}."]


def _rivals(summary: pd.DataFrame, noisy: pd.DataFrame, known: Facts) -> list[str]:
    """The highest mean at the highest rate, named as found in hindsight."""
    last = noisy.iloc[-1]
    rows = _same_place(summary[summary["role"] == "teacher"], last)
    rows = rows[rows["mean"].notna() & (rows["n_finished"] >= 3) & (rows["verdict"] != "diverged")]
    if len(rows) < 2:
        return []
    best = rows.loc[rows["mean"].idxmax()]
    where = f"at {text.rate(last['noise_rate'])} noise" if last["noise_rate"] == last["noise_rate"] else "there"
    if best["key"] == last["key"]:
        return [f"Of all methods tried {where} it also has the highest mean, {_mean(best)}."]
    if best["method"] == PLAIN:
        return [f"The highest mean {where} is cross-entropy's own, {_mean(best)}."]
    said = f"{text.points(best['difference'])} points, verdict: {best['verdict']}, n = {best['n_paired']:.0f} pairs"
    return [f"The highest mean {where}, picked in hindsight, is that of {text.method_phrase(best)} ({said})."]


def _mean(row: pd.Series) -> str:
    return f"{text.percent(row['mean'])} (n = {row['n_finished']:.0f})"


def _same_place(frame: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    for column in CONDITION:
        frame = frame[frame[column] == row[column]]
    rate = row["noise_rate"]
    return frame[frame["noise_rate"].isna() if np.isnan(rate) else frame["noise_rate"] == rate]


def _many_headline(noisy: pd.DataFrame, name: str) -> str:
    return f"Of {len(noisy)} noisy settings, {name} {_tally(noisy['verdict'])}."


TALLY = {
    "helps": "helped in",
    "hurts": "hurt in",
    "no practical difference": "made no practical difference in",
    "identical": "is the same as cross-entropy in",
    "not enough data": "is undecided in",
    "diverged": "diverged in",
    "no baseline": "has nothing to be compared with in",
    "missing": "is not computed yet in",
}


def _tally(verdicts: pd.Series) -> str:
    counts = Counter(verdict or "missing" for verdict in verdicts)
    return text.listing([f"{words} {counts[verdict]}" for verdict, words in TALLY.items() if counts[verdict]])


def _many_sentences(noisy: pd.DataFrame, known: Facts) -> list[str]:
    measured = noisy[noisy["difference"].notna()]
    if not len(measured):
        return ["None of them can be compared yet."]
    ends = [measured.loc[measured["difference"].idxmax()], measured.loc[measured["difference"].idxmin()]]
    words = ("Best", "Worst")
    return [
        f"{word} for it is {_place(row)}, where {text.method_phrase(row)} {clause(row, quantity(noisy, known))}."
        for word, row in zip(words, ends, strict=True)
    ]


def _place(row: pd.Series) -> str:
    rate = f" at {text.rate(row['noise_rate'])}" if row["noise_rate"] == row["noise_rate"] else ""
    return f"{row['dataset']} with {row['noise'].replace('_', ' ')} noise{rate} ({row['recipe']})"


def replies(summary: pd.DataFrame, known: Facts, metrics: pd.DataFrame | None = None) -> list[Reply]:
    """Return what the grid says to the four research questions of Lukasik et al. 2020."""
    return [
        mitigates(summary, known),
        family(summary, known),
        student(summary, known),
        shrinks(summary, known, metrics),
    ]


def mitigates(summary: pd.DataFrame, known: Facts) -> Reply:
    """Does smoothing mitigate symmetric noise? The headline contrast, then all strengths tried."""
    question = "Does label smoothing mitigate symmetric label noise?"
    evidence = ["accuracy_alpha", "alpha_rate", "memorised_recovered"]
    symmetric = summary[summary["noise"].map(lambda name: known.kinds.get(name, name)).isin(SYMMETRIC)]
    symmetric = symmetric[symmetric["noise_rate"] > 0]
    rows = primary_rows(symmetric, known)
    rows = rows[rows["method"] == SMOOTHING]
    if not len(symmetric):
        return cannot(question, "it has no symmetric noise.", evidence)
    if not len(rows):
        rows = primary_rows(symmetric, Facts())
    if not len(rows):
        return cannot(question, "it trains no network with label smoothing.", evidence)
    tone = tone_of(rows["verdict"])
    first = (
        f"Smoothing with {_alpha(rows)} {_tally(rows['verdict'])} of {text.counted(len(rows), 'noisy setting')}"
        f"{_range_of(rows)}."
    )
    if tone == "unknown":
        told = rows[rows["difference"].notna()] if rows["difference"].notna().any() else rows
        said = clause(told.iloc[-1], quantity(rows, known))
        where = f"at {text.rate(told['noise_rate'].iloc[-1])} noise"
        first = f"This grid cannot say: {where} smoothing with {_alpha(rows)} {said}."
    return Reply(question, short(tone), [first, *_all_strengths(symmetric)], tone, evidence)


def _alpha(rows: pd.DataFrame) -> str:
    return f"α = {text.plain(rows['alpha'].iloc[0], 3)}"


def _range_of(rows: pd.DataFrame) -> str:
    differences = rows["difference"].dropna()
    if not len(differences):
        return ""
    n = rows.loc[differences.index, "n_paired"]
    span = f"{text.points(differences.min())} to {text.points(differences.max())}"
    span = span if len(differences) > 1 else text.points(differences.iloc[0])
    least, most = int(n.min()), int(n.max())
    many = " each" if len(differences) > 1 else ""
    return f" ({span} points against cross-entropy, n = {least if least == most else f'{least} to {most}'}{many})"


def _all_strengths(symmetric: pd.DataFrame) -> list[str]:
    rows = symmetric[(symmetric["method"] == SMOOTHING) & (symmetric["role"] == "teacher") & (symmetric["alpha"] > 0)]
    if rows["alpha"].nunique() < 2:
        return []
    return [
        f"Over all strengths tried, α = {text.plain(rows['alpha'].min(), 3)} to {text.plain(rows['alpha'].max(), 3)}, "
        f"smoothing {_tally(rows['verdict'])} of {len(rows)} comparisons."
    ]


def family(summary: pd.DataFrame, known: Facts) -> Reply:
    """How does smoothing sit among the loss corrections? By means and intervals at the highest rate."""
    question = "How does label smoothing sit in the family of loss corrections?"
    evidence = ["methods", "accuracy_alpha"]
    teachers = summary[(summary["role"] == "teacher") & (summary["noise_rate"] != 0)]
    if not teachers["method"].isin(CORRECTIONS).any():
        return cannot(question, "it has no forward or backward correction under noise.", evidence)
    primary = primary_rows(teachers, known)
    primary = primary[(primary["method"] == SMOOTHING) & primary["difference"].notna() & (primary["n_paired"] >= 3)]
    compared = [(row, _corrections_at(teachers, row)) for _, row in primary.iterrows()]
    compared = [(row, rows) for row, rows in compared if len(rows)]
    if not compared:
        return cannot(question, "smoothing and a correction are not both measured under the same noise.", evidence)
    smoothed, corrections = compared[-1]
    tone, brief = _standing(smoothed, corrections)
    best = _best_smoothing(teachers, smoothed)
    return Reply(
        question, brief, [_ordered(smoothed, corrections) + best, _apart(smoothed, corrections)], tone, evidence
    )


def _corrections_at(teachers: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    rows = _same_place(teachers, row)
    return rows[rows["method"].isin(CORRECTIONS) & rows["difference"].notna() & (rows["n_paired"] >= 3)]


def _standing(smoothed: pd.Series, corrections: pd.DataFrame) -> tuple[Tone, str]:
    above = (smoothed["ci_low"] > corrections["ci_high"]).all()
    below = (smoothed["ci_high"] < corrections["ci_low"]).all()
    at = f"At α = {text.plain(smoothed['alpha'], 3)}: "
    if above or below:
        return "partly", f"{at}ahead of them" if above else f"{at}behind them"
    apart = (smoothed["ci_low"] > corrections["ci_high"]) | (smoothed["ci_high"] < corrections["ci_low"])
    return ("partly", f"{at}among them") if apart.any() else ("unshown", f"{at}not told apart")


def _ordered(smoothed: pd.Series, corrections: pd.DataFrame) -> str:
    named = corrections if len(corrections) <= MOST_NAMED else corrections.groupby("method", sort=False).head(1)
    rows = pd.concat([smoothed.to_frame().T, named]).sort_values("difference", ascending=False, kind="stable")
    parts = [
        f"{text.method_phrase(row)} {text.points(row['difference'])} "
        f"({text.interval(row['ci_low'], row['ci_high'])}, n = {row['n_paired']:.0f}, {row['verdict']})"
        for _, row in rows.iterrows()
    ]
    said = f"On {_place(smoothed)}, in points against cross-entropy with 95 % intervals: {text.listing(parts)}"
    others = corrections.drop(named.index)["difference"]
    if not len(others):
        return f"{said}."
    span = f"{text.points(others.min())} to {text.points(others.max())}"
    return f"{said}; {text.counted(len(others), 'other correction')} from {span}."


def _best_smoothing(teachers: pd.DataFrame, smoothed: pd.Series) -> str:
    rows = _same_place(teachers[(teachers["method"] == SMOOTHING) & (teachers["alpha"] > 0)], smoothed)
    rows = rows[rows["difference"].notna() & (rows["n_paired"] >= 3)]
    best = rows.loc[rows["difference"].idxmax()]
    if best["key"] == smoothed["key"]:
        return ""
    said = f"{text.points(best['difference'])} ({text.interval(best['ci_low'], best['ci_high'])}"
    return (
        f" The best smoothing in hindsight, α = {text.plain(best['alpha'], 3)}, stands at {said}, "
        f"n = {best['n_paired']:.0f}, {best['verdict']})."
    )


def _apart(smoothed: pd.Series, corrections: pd.DataFrame) -> str:
    names = {"above": [], "below": [], "overlapping": []}
    for _, row in corrections.iterrows():
        above, below = smoothed["ci_low"] > row["ci_high"], smoothed["ci_high"] < row["ci_low"]
        names["above" if above else "below" if below else "overlapping"].append(text.method_phrase(row))
    said = {"above": "lies above that of", "below": "lies below that of", "overlapping": "overlaps that of"}
    many = len(corrections) > MOST_NAMED
    parts = [
        f"{said[where]} {f'{len(found)} of {len(corrections)} corrections' if many else text.listing(found)}"
        for where, found in names.items()
        if found
    ]
    return (
        f"The interval of {text.method_phrase(smoothed)} {text.listing(parts)}; they are not tested against each other."
    )


def student(summary: pd.DataFrame, known: Facts) -> Reply:
    """Does a smoothed teacher help its student under noise? Against the students of plain teachers."""
    question = "Does a smoothed teacher help the student under label noise?"
    evidence = ["students"]
    rows = summary[(summary["role"] == "student") & (summary["teacher_method"] == SMOOTHING)]
    rows = rows[rows["teacher_alpha"] > 0]
    noisy = rows[rows["noise_rate"] != 0]
    if not len(noisy):
        return cannot(question, "it has no student of a smoothed teacher under noise.", evidence)
    if (noisy["verdict"].isin(["missing", ""])).all():
        return cannot(question, "the students of smoothed teachers are not computed yet.", evidence)
    tone = tone_of(noisy["verdict"])
    opening = "This grid cannot say: compared" if tone == "unknown" else "Compared"
    first = (
        f"{opening} with the students of plain teachers, having a smoothed teacher {_tally(noisy['verdict'])} of "
        f"{text.counted(len(noisy), 'noisy setting')}{_range_of(noisy).replace('against cross-entropy', 'difference')}."
    )
    return Reply(question, short(tone), [first, *_student_extremes(noisy), *_student_clean(rows)], tone, evidence)


def _student_extremes(noisy: pd.DataFrame) -> list[str]:
    measured = noisy[noisy["difference"].notna()]
    if not len(measured):
        return []
    best = measured.loc[measured["difference"].abs().idxmax()]
    return [
        f"The largest difference, at {text.rate(best['noise_rate'])} noise with teacher "
        f"{text.method_phrase(best, 'teacher_')} and {text.student_label(best)}, is {text.points(best['difference'])} "
        f"points ({_evidence(best)}; {best['verdict']})."
    ]


def _student_clean(rows: pd.DataFrame) -> list[str]:
    clean = rows[(rows["noise_rate"] == 0) & ~rows["verdict"].isin(["missing", ""])]
    if not len(clean):
        return []
    return [f"Without noise it {_tally(clean['verdict'])} of {len(clean)}."]


def shrinks(summary: pd.DataFrame, known: Facts, metrics: pd.DataFrame | None = None) -> Reply:
    """Is it because it shrinks like ℓ2? Only a sweep of weight decay beside α can tell."""
    question = "Is it because smoothing shrinks the weights, as ℓ2 does?"
    evidence = ["methods", "margins"]
    teachers = summary[(summary["role"] == "teacher") & (summary["noise_rate"] != 0)]
    shrunk = _shrunk(teachers, metrics, known)
    decay = teachers[teachers["method"] == DECAY]
    if not len(decay):
        return cannot(question, "it has no plain training with stronger weight decay beside it.", evidence, shrunk)
    smoothing = teachers[(teachers["method"] == SMOOTHING) & (teachers["alpha"] > 0)]
    places = [row for _, row in decay.drop_duplicates([*CONDITION, "noise_rate"]).iterrows()]
    outcomes = Counter(_outcome(_same_place(smoothing, p), _same_place(decay, p)) for p in places)
    tone, brief, sentence = _shrink_words(outcomes, len(places))
    return Reply(question, brief, [sentence, _decay_best(decay, smoothing), *shrunk], tone, evidence)


def _outcome(smoothing: pd.DataFrame, decay: pd.DataFrame) -> str:
    if "helps" not in set(smoothing["verdict"]):
        return "nothing to explain"
    if "helps" in set(decay["verdict"]):
        return "both"
    return "only smoothing" if set(decay["verdict"]) <= {"hurts", "no practical difference"} else "open"


def _shrink_words(outcomes: Counter, total: int) -> tuple[Tone, str, str]:
    places = text.counted(total, "noisy setting")
    if outcomes["both"] and not outcomes["only smoothing"]:
        said = f"In {outcomes['both']} of {places} both some smoothing and some stronger weight decay helped"
        return "partly", "It could be", f"{said}: that is what the ℓ2 reading predicts, and does not prove it."
    if outcomes["only smoothing"] and not outcomes["both"]:
        said = f"In {outcomes['only smoothing']} of {places} some smoothing helped and no weight decay tried did"
        return "no", "Not by that alone", f"{said}: that speaks against the ℓ2 reading, for the strengths tried."
    if outcomes["both"]:
        said = f"Weight decay helped where smoothing did in {outcomes['both']} of {places}, not in "
        return "partly", "Not everywhere", f"{said}{outcomes['only smoothing']}."
    if outcomes["open"]:
        why = f"in {outcomes['open']} of {places} some smoothing helped, and some weight decay is not decided."
    else:
        why = f"in {places} no smoothing helped, so nothing needs explaining."
    return "unknown", "Cannot say", f"This grid cannot say: {why}"


def _decay_best(decay: pd.DataFrame, smoothing: pd.DataFrame) -> str:
    measured = decay[decay["difference"].notna()]
    if not len(measured):
        return "No weight decay is measured yet."
    best = measured.loc[measured["difference"].idxmax()]
    said = f"{text.points(best['difference'])} points ({_evidence(best)}; {best['verdict']})"
    there = _same_place(smoothing[smoothing["difference"].notna()], best)
    beside = ""
    if len(there):
        other = there.loc[there["difference"].idxmax()]
        beside = f", the best smoothing there ({text.method_phrase(other)}) by {text.points(other['difference'])}"
    return (
        f"The best stronger decay, {text.method_phrase(best)} on {_place(best)}, differs from plain training by {said}"
        f"{beside}."
    )


def _shrunk(teachers: pd.DataFrame, metrics: pd.DataFrame | None, known: Facts) -> list[str]:
    """How far smoothing, and decay beside it, shrink the logits and the weights, where that was measured."""
    primary = primary_rows(teachers, known)
    if metrics is None or not len(primary):
        return []
    last = primary.iloc[-1]
    here = _same_place(teachers, last)
    decay = here[(here["method"] == DECAY) & here["difference"].notna()].nlargest(1, "difference")
    rows = [last, *(row for _, row in pd.concat([here[here["method"] == PLAIN].head(1), decay]).iterrows())]
    return [
        f"On {_place(last)} {what} is {text.listing(parts)}."
        for column, what in SHRINKING.items()
        if column in metrics and len(parts := _means(rows, metrics, column)) == len(rows) > 1
    ]


def _means(rows: list[pd.Series], metrics: pd.DataFrame, column: str) -> list[str]:
    """Return the mean of a column for each row that has one, with its method and n."""
    values = pd.to_numeric(metrics[column], errors="coerce")
    found = [(row, values[metrics["key"] == row["key"]].dropna()) for row in rows]
    return [
        f"{text.plain(measured.mean())} with {text.method_phrase(row)} (n = {len(measured)})"
        for row, measured in found
        if len(measured)
    ]


def cannot(question: str, why: str, evidence: list[str], more: list[str] | None = None) -> Reply:
    return Reply(question, "Cannot say", [f"This grid cannot say: {why}", *(more or [])], "unknown", evidence)


def short(tone: Tone) -> str:
    return {"yes": "Yes", "no": "No", "partly": "In part", "unshown": "Not shown", "unknown": "Cannot say"}[tone]


def binomial_error(summary: pd.DataFrame, known: Facts) -> list[str]:
    """Return, per data set, the standard error that the size of the test set gives to one plain accuracy."""
    sentences = []
    for dataset, n_test in known.n_test.items():
        plain = summary[(summary["dataset"] == dataset) & (summary["method"] == PLAIN) & (summary["role"] == "teacher")]
        plain = plain[plain["mean"].notna()]
        if len(plain):
            mean = plain["mean"].iloc[-1]
            error = float(binomial_standard_error(mean, n_test))
            sentences.append(
                f"On {dataset}, an accuracy of {text.percent(mean)} measured on {text.counted(n_test, 'test example')} "
                f"has a binomial standard error of {text.size(error)} points."
            )
    return sentences
