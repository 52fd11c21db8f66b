"""The answer: one row per named cell, with its difference to the baseline and a verdict."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import NAMES, Cell, Peers, label, mean, measured_by, name_types, read, table, with_gold
from smearlab.statistics.contrasts import Contrast, adjusted, comparison, contrast, note
from smearlab.statistics.drawn import Hits
from smearlab.statistics.families import identity, primaries
from smearlab.statistics.gold import examples_needed
from smearlab.statistics.power import replicates_needed

TYPES = {columns.TEXT: "str", columns.NUMBER: "float64", columns.WHOLE: "Int64", columns.FLAG: "bool"}
COLUMNS = {
    **name_types(NAMES),
    **{c.name: "int64" if c.name in columns.NEVER_NULL else TYPES[c.type] for c in columns.SUMMARY},
}


def summarise(
    metrics: pd.DataFrame,
    *,
    primary: Mapping[str, Any] | None = None,
    margin: float,
    cells: pd.DataFrame | None = None,
    hits: Mapping[str, Hits] = MappingProxyType({}),
) -> pd.DataFrame:
    """Return a row per named cell, with COLUMNS, in order of first appearance (or that of `cells`).

    `metrics` has a row per network; `primary` names the headline contrast (see families.primaries); `margin`
    is in points of accuracy, every other number a fraction. `cells` optionally lists all named cells of the
    grid: those not computed yet come out as `missing`, and the headline is chosen among all of them.
    `n` counts replicates with a result, diverged ones included; `mean` and `std` are over the finished ones;
    `n_paired` is the number of independent differences behind the test. The columns that end in `_last` and
    `_selected` are the same comparison with every network at its last epoch, and at the epoch best on noisy
    validation labels; the ones without an ending are at the checkpoint that the recipe reports. `hits`: by
    computation, of data sets of whose test examples only some have a known true label: their intervals and tests
    cover the drawing of these examples too (two_way). UserError as cells.read.
    """
    named = read(metrics, cells, extra=[measure for measure, _ in columns.STOPPED.values()])
    found = [with_gold(cell, hits) for cell in named]
    peers = Peers(found)
    at_rule = {
        rule: _contrasts([measured_by(cell, measure) for cell in found], primary)
        for rule, (measure, _) in columns.STOPPED.items()
    }
    rows = [
        _row(led, {rule: contrasts[i] for rule, contrasts in at_rule.items()}, peers, margin)
        for i, led in enumerate(_contrasts(found, primary))
    ]
    return table(rows, COLUMNS)


def _contrasts(cells: list[Cell], primary: Mapping[str, Any] | None) -> list[Contrast]:
    """Return the comparison of each cell with its baseline, in order."""
    peers, headline = Peers(cells), primaries(cells, primary)
    found = [(cell, None if cell.is_plain else peers.baseline(cell)) for cell in cells]
    return adjusted([contrast(c, b, primary=not c.is_plain and identity(c) in headline) for c, b in found])


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
        "baseline": label(reference) if reference else None,
        **_comparison(led, margin),
        "margin": margin,
        "primary": led.primary,
        "n_paired": led.difference.n,
        "replicates_needed": replicates_needed(led.difference, margin) if led.tested and not cell.hits else None,
        "n_gold": cell.hits.n if cell.hits else None,
        "examples_needed": examples_needed(led.difference) if led.tested else None,
        **_beside(cell, peers.teacher(cell), "teacher"),
        **_beside(cell, peers.plain(cell) if cell.names["role"] == "student" else None, "plain"),
        "measure": cell.measure,
        "note": note(led),
        **{f"{column}_{rule}": v for rule, at in stopped.items() for column, v in _at_rule(at, margin).items()},
    }


def _comparison(found: Contrast, margin: float) -> dict[str, Any]:
    compared = comparison(found, margin)
    if not found.cell.n:
        return compared | {"verdict": words.MISSING}
    if found.cell.is_plain:
        return compared | {"verdict": words.BASELINE}
    if found.baseline is None and not found.diverged:
        return compared | {"verdict": words.NO_BASELINE}
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
