"""One comparison: a cell beside what it is compared with, Holm's correction among its family, and its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from smearlab.statistics import verdict as words
from smearlab.statistics.cells import Cell
from smearlab.statistics.families import Hypothesis, holm, hypothesis
from smearlab.statistics.given_labels import CANNOT, in_words, is_agreement
from smearlab.statistics.paired import FEWEST, Difference, between
from smearlab.statistics.two_way import two_way


@dataclass(frozen=True)
class Contrast:
    """A cell beside its baseline (None for a baseline itself, and where there is none yet).

    `hypothesis` is (Holm's family, what is tested in it); the headlines (`primary`) are a family of their own.
    """

    cell: Cell
    baseline: Cell | None
    difference: Difference
    hypothesis: Hypothesis
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

    @property
    def p_value(self) -> float | None:
        """The unadjusted p-value of a tested difference."""
        return self.difference.p_value if self.tested else None


def contrast(cell: Cell, baseline: Cell | None, *, primary: bool = False, tested: Cell | None = None) -> Contrast:
    """Return the comparison of two cells; `tested` is the side that the hypothesis is about (`cell` by default)."""
    difference = _difference(cell, baseline) if baseline else Difference(())
    return Contrast(cell, baseline, difference, hypothesis(tested or cell, primary=primary), primary)


def _difference(cell: Cell, baseline: Cell) -> Difference:
    """Cell minus baseline by replicate; on a gold set over its examples too, which are a draw as the replicates are."""
    if cell.hits is None or baseline.hits is None:
        return between(cell, baseline)
    mine, theirs = cell.hits.by_replicate, baseline.hits.by_replicate
    shared = [replicate for replicate in sorted(cell.finished) if replicate in baseline.finished]
    return two_way({r: mine[r].astype(float) - theirs[r] for r in shared}, cell.hits.drawn)


def adjusted(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Fill in Holm's p-values, per family, all headlines one of them; one computation is one test."""
    corrected = holm({c.hypothesis: c.p_value for c in contrasts if c.p_value is not None})
    return [replace(c, p_holm=corrected.get(c.hypothesis) if c.tested else None) for c in contrasts]


def comparison(contrast: Contrast, margin: float) -> dict[str, Any]:
    """Return the numbers of a comparison and its verdict, by their columns; `margin` in points of accuracy."""
    low, high = contrast.interval
    verdict = words.verdict(
        contrast.difference,
        p=contrast.p_value if contrast.p_holm is None else contrast.p_holm,
        margin=margin,
        diverged=contrast.diverged,
        identical=contrast.identical,
    )
    return {
        "difference": contrast.difference.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": contrast.p_value,
        "p_holm": contrast.p_holm,
        "verdict": in_words(verdict, contrast.cell.measure),
    }


def note(contrast: Contrast) -> str | None:
    """Say why there is no test, where there is a difference but none, and what a test cannot be about."""
    difference, baseline = contrast.difference, contrast.baseline
    if not contrast.cell.n:
        return None
    if contrast.diverged:
        sides = [(contrast.cell, "here"), *([(baseline, "in the baseline")] if baseline else [])]
        return f"{words.DIVERGED}: " + ", ".join(f"{len(c.diverged)} of {c.n} {where}" for c, where in sides)
    if baseline is None or contrast.identical:
        return None
    if contrast.tested:
        return CANNOT if is_agreement(contrast.cell.measure) else None
    if difference.n < FEWEST:
        return f"{difference.n} paired replicates; a test needs {FEWEST}"
    return f"all {difference.n} differences are {100 * (difference.mean or 0):+.2f} points: no spread to test"
