"""The answer: one row per named cell, with its difference to the baseline and a verdict."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.power import LEVEL, detectable, pairs_to_find
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import (
    NAMES,
    Cell,
    Peers,
    label,
    margin_columns,
    mean,
    measured_by,
    name_types,
    read,
    table,
    types_of,
    with_gold,
)
from smearlab.statistics.contrasts import Contrast, comparison, contrast, contrasts_of, note
from smearlab.statistics.drawn import Hits
from smearlab.statistics.gold import examples_needed
from smearlab.statistics.resampled import resampled
from smearlab.statistics.two_way import two_way
from smearlab.store.correct import Correct

COLUMNS = {**name_types(NAMES), **types_of(columns.SUMMARY)}


def summarise(
    metrics: pd.DataFrame,
    *,
    primary: Mapping[str, Any] | None = None,
    margin: float,
    cells: pd.DataFrame | None = None,
    correct: Mapping[str, Correct] | None = None,
    hits: Mapping[str, Hits] = MappingProxyType({}),
    redrawn: Mapping[str, float] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return a row per named cell, with COLUMNS, in order of first appearance (or that of `cells`).

    `metrics` has a row per network; `primary` names the headline contrast (see families.primaries); `margin`
    is in points of accuracy, every other number a fraction. `cells` optionally lists all named cells of the
    grid: those not computed yet come out as `missing`, and the headline is chosen among all of them.
    `n` counts replicates with a result, diverged ones included; `mean` and `std` are over the finished ones;
    `n_paired` is the number of independent differences behind the test. The columns that end in `_last` and
    `_selected` are the same comparison with every network at its last epoch, and at the epoch best on noisy
    validation labels; the ones without an ending are at the checkpoint that the recipe reports. `correct` says by
    computation which test examples are right; without it the interval over examples is empty. `hits`: by computation,
    of data sets of whose test examples only some have a known true label: there every interval and test covers the
    drawing of these examples too (drawn_difference). `redrawn`: by data set of which each replicate drew its own split,
    its test examples per example that is not: there the interval over examples is `resampled`. UserError as cells.read.
    """
    named = read(metrics, cells, extra=[measure for measure, _ in columns.STOPPED.values()])
    found = [with_gold(cell, hits) for cell in named]
    peers = Peers(found)
    at_rule = {
        rule: contrasts_of([measured_by(cell, measure) for cell in found], primary)
        for rule, (measure, _) in columns.STOPPED.items()
    }
    rows = [
        _row(led, {rule: contrasts[i] for rule, contrasts in at_rule.items()}, peers, margin)
        | _over_examples(led, correct or {}, redrawn)
        for i, led in enumerate(contrasts_of(found, primary))
    ]
    return table(rows, COLUMNS)


def _row(led: Contrast, stopped: Mapping[str, Contrast], peers: Peers, margin: float) -> dict[str, Any]:
    cell = led.cell
    reference = cell if cell.is_plain else led.baseline
    return {
        **cell.names,
        "cell": cell.computation,
        "n": cell.n,
        "n_diverged": len(cell.diverged),
        "mean": mean(cell.finished),
        "std": float(np.std(list(cell.finished.values()), ddof=1)) if len(cell.finished) > 1 else None,
        "baseline": label(reference.names) if reference else None,
        **_comparison(led, margin),
        **margin_columns(margin),
        "primary": led.primary,
        "n_paired": led.difference.n,
        **({} if cell.hits else _reach(led, margin)),
        "n_gold": cell.hits.n if cell.hits else None,
        "examples_needed": examples_needed(led.difference) if led.tested else None,
        **_beside(cell, peers.teacher(cell), "teacher"),
        **_beside(cell, peers.plain(cell) if cell.names["role"] == "student" else None, "plain"),
        "measure": cell.measure,
        "note": note(led),
        **{f"{column}_{rule}": v for rule, at in stopped.items() for column, v in _at_rule(at, margin).items()},
    }


def _over_examples(led: Contrast, correct: Mapping[str, Correct], redrawn: Mapping[str, float]) -> dict[str, float]:
    """Return the interval for examples that are drawn too, at the level of the simultaneous one."""
    if led.tested and (ratio := redrawn.get(led.cell.names["dataset"])):
        return _examples(resampled(led.difference, ratio, 1 - LEVEL / led.size))
    sides = [correct.get(str(side.computation)) for side in (led.cell, led.baseline) if side is not None]
    if not led.tested or led.cell.hits or led.cell.measure != "test_accuracy" or len(sides) < 2:
        return {}
    if sides[0] is None or sides[1] is None:
        return {}
    return _examples(two_way(sides[0], sides[1], 1 - LEVEL / led.size))


def _examples(ends: tuple[float, float] | None) -> dict[str, float]:
    return dict(zip(("ci_low_examples", "ci_high_examples"), ends, strict=True)) if ends else {}


def _reach(led: Contrast, margin: float) -> dict[str, float | int | None]:
    """Return what the test can find at the spread that was seen, whatever the difference that was."""
    deviation = led.difference.deviation
    if not led.tested or not deviation:
        return {}
    smallest = detectable(led.difference.n, led.size)
    return {
        "detectable": None if smallest is None else smallest * deviation,
        "replicates_for_margin": pairs_to_find(margin / 100 / deviation, led.size),
    }


def _comparison(found: Contrast, margin: float) -> dict[str, Any]:
    compared = comparison(found, margin)
    if not found.cell.n:
        return compared | {"verdict": words.MISSING}
    if found.cell.is_plain:
        return compared | {"verdict": words.BASELINE}
    return compared


def _at_rule(found: Contrast, margin: float) -> dict[str, Any]:
    """Return mean and comparison at one stopping rule; nothing where it was not measured (no true test labels)."""
    return {"mean": mean(found.cell.finished), **_comparison(found, margin)} if found.cell.n else {}


def _beside(cell: Cell, other: Cell | None, name: str) -> dict[str, float | None]:
    """Return a student's difference to another network: described, not tested."""
    beside = contrast(cell, other)
    low, high = beside.interval
    values = {"difference": beside.difference.mean, "ci_low": low, "ci_high": high}
    return {f"{what}_to_{name}": value for what, value in values.items()}
