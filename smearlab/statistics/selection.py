"""Choosing a method as a user must, on noisy validation labels, and what that choice is worth."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import (
    FAMILY,
    PLAIN,
    Cell,
    Peers,
    Replicate,
    label,
    margin_columns,
    name_types,
    read,
    table,
    types_of,
    with_gold,
)
from smearlab.statistics.drawn import Hits
from smearlab.statistics.drawn_difference import drawn_difference
from smearlab.statistics.given_labels import in_words
from smearlab.statistics.paired import FEWEST, Difference, independent, is_crossed

WHOLE, HALF = "validation_accuracy_noisy", "choice_accuracy_noisy"
BEST_ON_TEST = "best_on_test_accuracy"
NAMES = (*FAMILY[:4], "arch", "role")
COLUMNS = {**name_types(NAMES), **types_of(columns.CHOICE)}


@dataclass(frozen=True)
class Family:
    """What can be chosen in one family, plainest first, on the replicates that have every candidate.

    `validation`, which is chosen by, and `score`, which is judged by, are accuracies in 0..1 of shape (candidates,
    replicates), nan where a network diverged.
    """

    candidates: list[Cell]
    replicates: list[Replicate]
    validation: np.ndarray
    score: np.ndarray

    def unit(self, values: np.ndarray) -> Difference:
        """Reduce a value per replicate to independent ones."""
        known = [(r, float(v)) for r, v in zip(self.replicates, values, strict=True) if np.isfinite(v)]
        return independent(dict(known))


def choose_on_validation(
    metrics: pd.DataFrame, *, margin: float = 0.5, hits: Mapping[str, Hits] = MappingProxyType({})
) -> pd.DataFrame:
    """Choose a cell per replicate by its accuracy on noisy validation labels; a row per family.

    Choice and judgement share no label. It is judged on the test part (`measure` says on which labels). With true
    test labels it is chosen on the whole validation part; without them on the half at even positions, so that the
    other half, `heldout_accuracy_noisy`, is a second sample that took no part (tables without it: the whole).

    A family is a data set, noise, rate, recipe and role. Candidates are its cells that a user without clean
    labels could train: not those given the true or the matched T or clean labels (`n_oracles` counts them).
    Students compete with their plain counterpart too, the network trained without a teacher; where their recipe
    trains none, the student of a plain teacher takes its place. Ties go to the plainer cell; a diverged network
    cannot be chosen. A replicate counts when every candidate has a result.

    `gain` is chosen minus plain cross-entropy, `cost` the cell with the best mean minus the chosen one, both in
    `measure`. `optimism_of_best_on_test` is the best score of
    a replicate minus what that cell scores on the other replicates; `optimism_of_best_checkpoint` is
    `best_on_test_accuracy` minus `test_accuracy` of the chosen networks. p is not adjusted: one test a family.
    `hits`: as in the summary; with them the test of the gain covers the drawing of the gold examples.
    """
    cells = [with_gold(cell, hits) for cell in read(metrics, extra=(WHOLE, HALF, BEST_ON_TEST))]
    peers = Peers(cells)
    halved = {cell.names["dataset"] for cell in cells if cell.measure != "test_accuracy" and cell.extra[HALF]}
    groups: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.key(FAMILY), []).append(cell)
    chosen_by = {True: HALF, False: WHOLE}
    rows = (_row(group, peers, chosen_by[group[0].names["dataset"] in halved], margin) for group in groups.values())
    return table(rows, COLUMNS)


def _row(group: list[Cell], peers: Peers, chosen_by: str, margin: float) -> dict[str, Any]:
    members = [cell for cell in group if not _is_oracle(cell)]
    plain = peers.plain(group[0]) or _plain_student(members)
    candidates = sorted({id(c): c for c in [*([plain] if plain else []), *members]}.values(), key=_plainness)
    family = _family(candidates, chosen_by)
    row = {
        **{column: group[0].names[column] for column in NAMES},
        "n": len(family.replicates),
        "n_incomplete": len(set().union(*(_results(c) for c in candidates))) - len(family.replicates),
        "n_diverged": sum(len(cell.diverged) for cell in candidates),
        "n_candidates": len(candidates),
        "n_oracles": len(group) - len(members),
        **margin_columns(margin),
        "measure": group[0].measure,
    }
    if plain is None or not family.replicates:
        note = "plain cross-entropy is missing" if plain is None else "no replicate has every candidate"
        return row | {"verdict": words.NOT_ENOUGH, "note": note}
    outcome = _outcome(family, candidates.index(plain), margin)
    if plain in group and plain.names["role"] == "student":
        outcome["note"] = outcome.get("note") or "against the student of a plain teacher: this recipe has no teachers"
    return row | outcome


def _plain_student(members: list[Cell]) -> Cell | None:
    """Return what students are compared with where their recipe trains no network without a teacher."""
    return next((cell for cell in sorted(members, key=_plainness) if cell.is_plain), None)


def _outcome(family: Family, plain: int, margin: float) -> dict[str, Any]:
    usable = np.isfinite(family.validation).any(axis=0)
    if not usable.all():
        return {"verdict": words.NOT_ENOUGH, "note": "in some replicate every candidate diverged"}
    every = np.arange(len(family.replicates))
    chosen = _best(family.validation)
    scores = family.score[chosen, every]
    gain = _gold_gain(family, chosen, plain) or family.unit(scores - family.score[plain])
    lost = bool(np.isnan(family.score[plain]).any())
    counts = Counter(label(family.candidates[i].names) for i in sorted(chosen))
    return {
        "chosen": json.dumps(dict(counts.most_common()), ensure_ascii=False),
        "advice": counts.most_common(1)[0][0],
        "gain": gain.mean,
        **_interval(gain, "ci_low", "ci_high", tested=not lost),
        "p_value": None if lost else gain.p_value,
        "verdict": words.NOT_ENOUGH if lost else _verdict(gain, margin, family),
        **_hindsight(family, scores),
        "optimism_of_best_on_test": _optimism(family),
        "optimism_of_best_checkpoint": _checkpoint_optimism(family, [int(k) for k in chosen]),
        "note": _note(gain, lost),
    }


def _gold_gain(family: Family, chosen: np.ndarray, plain: int) -> Difference | None:
    """Return chosen minus plain over the examples of a gold set; None without one, or where a network diverged."""
    hits = [cell.hits for cell in family.candidates]
    known = [found for found in hits if found is not None]
    if len(known) < len(hits) or not known or np.isnan(family.score).any():
        return None
    rights = [found.by_replicate for found in known]
    pairs = zip(family.replicates, chosen, strict=True)
    return drawn_difference({r: rights[k][r].astype(float) - rights[plain][r] for r, k in pairs}, known[0].drawn)


def _verdict(gain: Difference, margin: float, family: Family) -> str:
    return in_words(words.verdict(gain, p=gain.p_value, margin=margin), family.candidates[0].measure)


def _family(candidates: list[Cell], chosen_by: str) -> Family:
    results = [_results(cell) for cell in candidates]
    together = sorted(set.intersection(*results)) if results else []
    whole = [r for r in together if all(r in cell.diverged or r in cell.extra[chosen_by] for cell in candidates)]
    shape = (len(candidates), len(whole))
    validation = np.array([[cell.extra[chosen_by].get(r, np.nan) for r in whole] for cell in candidates])
    score = np.array([[cell.finished.get(r, np.nan) for r in whole] for cell in candidates])
    return Family(candidates, whole, validation.reshape(shape), score.reshape(shape))


def _results(cell: Cell) -> set[Replicate]:
    return cell.finished.keys() | cell.diverged


def _is_oracle(cell: Cell) -> bool:
    """Whether training the cell took knowledge that only whoever made the noise has."""
    transitions = [cell.names[column] or "" for column in ("transition", "teacher_transition")]
    knows = any(t in ("true", "matched") or t.startswith("perturbed") for t in transitions)
    return knows or cell.names["student_labels"] == "clean"


def _plainness(cell: Cell) -> tuple[Any, ...]:
    """Order candidates by how far they are from plain cross-entropy: ties are broken towards it."""
    names = cell.names
    return (
        names["role"] != "teacher",
        names["method"] != PLAIN,
        names["teacher_method"] not in (None, PLAIN),
        abs(names["alpha"] or 0),
        abs(names["teacher_alpha"] or 0),
        [str(value) for value in cell.key()],
    )


def _best(values: np.ndarray) -> np.ndarray:
    """Return the first largest entry of each column, never a nan."""
    return np.where(np.isnan(values), -np.inf, values).argmax(axis=0)


def _hindsight(family: Family, scores: np.ndarray) -> dict[str, Any]:
    """Return the candidate with the best mean, of those that never diverged, and what choosing lost to it."""
    means = family.score.mean(axis=1)
    if np.isnan(means).all():
        return {}
    best = int(np.nanargmax(means))
    cost = family.unit(family.score[best] - scores)
    interval = _interval(cost, "ci_low_cost", "ci_high_cost")
    return {"best_in_hindsight": label(family.candidates[best].names), "cost": cost.mean, **interval}


def _optimism(family: Family) -> float | None:
    """Return the mean excess of the best score of a replicate over the same cell's score on the others."""
    crossed = is_crossed(dict.fromkeys(family.replicates, 0.0))
    unit = np.array([r[0] if crossed else i for i, r in enumerate(family.replicates)])
    excess = []
    for i, best in enumerate(_best(family.score)):
        others = family.score[best, unit != unit[i]]
        others = others[np.isfinite(others)]
        if len(others):
            excess.append(family.score[best, i] - others.mean())
    return float(np.mean(excess)) if excess else None


def _checkpoint_optimism(family: Family, chosen: Sequence[int]) -> float | None:
    excess = [
        cell.extra[BEST_ON_TEST][replicate] - cell.finished[replicate]
        for cell, replicate in zip((family.candidates[i] for i in chosen), family.replicates, strict=True)
        if cell.measure == "test_accuracy" and replicate in cell.extra[BEST_ON_TEST]
    ]
    return float(np.mean(excess)) if excess else None


def _interval(difference: Difference, low: str, high: str, tested: bool = True) -> dict[str, float | None]:
    ends = difference.interval() if tested else None
    return dict(zip((low, high), ends or (None, None), strict=True))


def _note(gain: Difference, lost: bool) -> str | None:
    if lost:
        return "plain cross-entropy diverged in some replicate"
    if gain.n < FEWEST:
        return f"{gain.n} independent replicates; a test needs {FEWEST}"
    return "the gain is the same in every replicate: no spread to test" if gain.all_equal else None
