"""The answer: one row per named cell, with its difference to the baseline and a verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.statistics import verdict as words
from smearlab.statistics.cells import FAMILY, NAMES, Cell, Peers, label, name_types, read, table
from smearlab.statistics.families import Identity, holm, identity, primaries
from smearlab.statistics.paired import FEWEST, Difference, between
from smearlab.statistics.power import replicates_needed

TYPES = {columns.TEXT: "str", columns.NUMBER: "float64", columns.WHOLE: "Int64", columns.FLAG: "bool"}
COLUMNS = {
    **name_types(NAMES),
    **{c.name: "int64" if c.name in columns.NEVER_NULL else TYPES[c.type] for c in columns.SUMMARY},
}


@dataclass(frozen=True)
class Contrast:
    """A cell beside its baseline (None for a baseline itself, and where there is none yet)."""

    cell: Cell
    baseline: Cell | None
    difference: Difference
    primary: bool = False
    p_holm: float | None = None

    @property
    def diverged(self) -> bool:
        """Whether a replicate of either side diverged: those left are a selection, so nothing is tested."""
        return bool(self.cell.diverged or (self.baseline and self.baseline.diverged))

    @property
    def identical(self) -> bool:
        """Whether the two sides are one computation under two names."""
        return self.baseline is not None and self.cell.same_computation(self.baseline)

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The ends of the interval of a tested difference."""
        found = self.difference.interval() if self.tested else None
        return found if found else (None, None)

    @property
    def tested(self) -> bool:
        """Whether the difference has a p-value."""
        return self.difference.testable and not self.diverged


def summarise(
    metrics: pd.DataFrame,
    *,
    primary: Mapping[str, Any] | None = None,
    margin: float,
    cells: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a row per named cell, with COLUMNS, in order of first appearance (or that of `cells`).

    `metrics` has a row per network; `primary` names the headline contrast (see families.primaries); `margin`
    is in points of accuracy, every other number a fraction. `cells` optionally lists all named cells of the
    grid: those not computed yet come out as `missing`, and the headline is chosen among all of them.
    `n` counts replicates with a result, diverged ones included; `mean` and `std` are over the finished ones;
    `n_paired` is the number of independent differences behind the test. UserError as cells.read.
    """
    found = read(metrics, cells)
    peers = Peers(found)
    headline = primaries(found, primary)
    contrasts = _adjusted([_contrast(cell, peers, headline) for cell in found])
    return table((_row(contrast, peers, margin) for contrast in contrasts), COLUMNS)


def _contrast(cell: Cell, peers: Peers, headline: set[Identity]) -> Contrast:
    if cell.is_plain:
        return Contrast(cell, None, Difference(()))
    baseline = peers.baseline(cell)
    difference = between(cell, baseline) if baseline else Difference(())
    return Contrast(cell, baseline, difference, primary=identity(cell) in headline)


def _adjusted(contrasts: list[Contrast]) -> list[Contrast]:
    """Fill in Holm's p-values, per family; the headline stands outside, and one computation is one test."""
    tests = [(c.cell.key(FAMILY), identity(c.cell)) if c.tested and not c.primary else None for c in contrasts]
    beside = list(zip(contrasts, tests, strict=True))
    p_values = {test: contrast.difference.p_value for contrast, test in beside if test}
    adjusted = holm({test: p for test, p in p_values.items() if p is not None})
    return [replace(contrast, p_holm=adjusted.get(test) if test else None) for contrast, test in beside]


def _row(contrast: Contrast, peers: Peers, margin: float) -> dict[str, Any]:
    cell, difference = contrast.cell, contrast.difference
    tested = contrast.tested
    low, high = contrast.interval
    reference = cell if cell.is_plain else contrast.baseline
    return {
        **cell.names,
        "cell": cell.computation,
        "n": cell.n,
        "n_diverged": len(cell.diverged),
        "mean": float(np.mean(list(cell.finished.values()))) if cell.finished else None,
        "std": float(np.std(list(cell.finished.values()), ddof=1)) if len(cell.finished) > 1 else None,
        "baseline": label(reference) if reference else None,
        "difference": difference.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": difference.p_value if tested else None,
        "p_holm": contrast.p_holm,
        "margin": margin,
        "verdict": _verdict(contrast, margin),
        "primary": contrast.primary,
        "n_paired": difference.n,
        "replicates_needed": replicates_needed(difference, margin) if tested else None,
        **_beside(cell, peers.teacher(cell), "teacher"),
        **_beside(cell, peers.plain(cell) if cell.names["role"] == "student" else None, "plain"),
        "measure": cell.measure,
        "note": _note(contrast),
    }


def _verdict(contrast: Contrast, margin: float) -> str:
    if not contrast.cell.n:
        return words.MISSING
    if contrast.cell.is_plain:
        return words.BASELINE
    if contrast.baseline is None and not contrast.diverged:
        return words.NO_BASELINE
    return words.verdict(
        contrast.difference,
        p=(contrast.difference.p_value if contrast.primary else contrast.p_holm) if contrast.tested else None,
        margin=margin,
        diverged=contrast.diverged,
        identical=contrast.identical,
    )


def _beside(cell: Cell, other: Cell | None, name: str) -> dict[str, float | None]:
    """Return a student's difference to another network: described, not tested."""
    beside = Contrast(cell, other, between(cell, other) if other else Difference(()))
    low, high = beside.interval
    values = {"difference": beside.difference.mean, "ci_low": low, "ci_high": high}
    return {f"{what}_to_{name}": value for what, value in values.items()}


def _note(contrast: Contrast) -> str | None:
    """Say why there is no test, where there is a difference but none."""
    difference, baseline = contrast.difference, contrast.baseline
    if not contrast.cell.n:
        return None
    if contrast.diverged:
        sides = [(contrast.cell, "here"), *([(baseline, "in the baseline")] if baseline else [])]
        return f"{words.DIVERGED}: " + ", ".join(f"{len(c.diverged)} of {c.n} {where}" for c, where in sides)
    if baseline is None or contrast.identical or contrast.tested:
        return None
    if difference.n < FEWEST:
        return f"{difference.n} paired replicates; a test needs {FEWEST}"
    return f"all {difference.n} differences are {100 * (difference.mean or 0):+.2f} points: no spread to test"
