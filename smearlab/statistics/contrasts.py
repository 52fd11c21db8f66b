"""One comparison: a cell beside what it is compared with, Holm's correction among its family, and its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smearlab.statistics import verdict as words
from smearlab.statistics.cells import Cell, Peers
from smearlab.statistics.drawn_difference import drawn_difference
from smearlab.statistics.families import Hypothesis, holm, hypothesis, identity, primaries, sizes
from smearlab.statistics.given_labels import CANNOT, in_words, is_agreement
from smearlab.statistics.paired import FEWEST, Difference, between
from smearlab.statistics.simultaneous import Ends, simultaneous


@dataclass(frozen=True)
class Contrast:
    """A cell beside its baseline (None for a baseline itself, and where there is none yet).

    `hypothesis` is (Holm's family, what is tested in it); the headlines (`primary`) are a family of their own. `size`
    is the number of tests in it.
    """

    cell: Cell
    baseline: Cell | None
    difference: Difference
    hypothesis: Hypothesis
    primary: bool = False
    p_holm: float | None = None
    size: int = 1

    @property
    def diverged(self) -> bool:
        """Whether a replicate of either side diverged: those left are a selection, so nothing is tested."""
        return bool(self.cell.diverged or (self.baseline and self.baseline.diverged))

    @property
    def identical(self) -> bool:
        """Whether the two sides are one computation under two names."""
        return self.baseline is not None and self.cell.same_computation(self.baseline)

    @property
    def counting_p(self) -> float | None:
        """The p-value that the verdict rests on: Holm's, or that of a lone headline itself."""
        return self.p_value if self.p_holm is None else self.p_holm

    @property
    def simultaneous(self) -> Ends:
        """The ends of the interval that holds together with those of its family."""
        return simultaneous(self.difference, size=self.size, p=self.counting_p) if self.tested else (None, None)

    @property
    def interval(self) -> Ends:
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
    return drawn_difference({r: mine[r].astype(float) - theirs[r] for r in shared}, cell.hits.drawn)


def adjusted(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """Fill in Holm's p-values, per family, all headlines one of them; one computation is one test."""
    p_values = {c.hypothesis: c.p_value for c in contrasts if c.p_value is not None}
    corrected, members = holm(p_values), sizes(p_values)
    return [
        replace(c, p_holm=corrected.get(c.hypothesis), size=members[c.hypothesis]) if c.tested else c for c in contrasts
    ]


def contrasts_of(cells: Sequence[Cell], primary: Mapping[str, Any] | None) -> list[Contrast]:
    """Return the comparison of each cell with its baseline, in order; `primary` as families.primaries has it."""
    peers, headline = Peers(cells), primaries(cells, primary)
    found = [(cell, None if cell.is_plain else peers.baseline(cell)) for cell in cells]
    return adjusted([contrast(c, b, primary=not c.is_plain and identity(c) in headline) for c, b in found])


def comparison(contrast: Contrast, margin: float) -> dict[str, Any]:
    """Return the numbers of a comparison and its verdict, by their columns; `margin` in points of accuracy."""
    (low, high), together = contrast.interval, contrast.simultaneous
    verdict = words.verdict(
        contrast.difference,
        p=contrast.counting_p,
        margin=margin,
        diverged=contrast.diverged,
        identical=contrast.identical,
    )
    if contrast.baseline is None and not contrast.diverged:
        verdict = words.NO_BASELINE
    return {
        "difference": contrast.difference.mean,
        "ci_low": low,
        "ci_high": high,
        "ci_low_simultaneous": together[0],
        "ci_high_simultaneous": together[1],
        "p_value": contrast.p_value,
        "p_holm": contrast.p_holm,
        "verdict": in_words(verdict, contrast.cell.measure),
    }


def note(contrast: Contrast, of: tuple[str, str] = ("here", "in the baseline")) -> str | None:
    """Say why there is no test, where there is a difference but none, and what a test cannot be about.

    `of` names the two sides, where the second is no baseline.
    """
    difference, baseline = contrast.difference, contrast.baseline
    if not contrast.cell.n:
        return None
    if contrast.diverged:
        sides = [(contrast.cell, of[0]), *([(baseline, of[1])] if baseline else [])]
        return f"{words.DIVERGED}: " + ", ".join(f"{len(c.diverged)} of {c.n} {where}" for c, where in sides)
    if baseline is None or contrast.identical:
        return None
    if contrast.tested:
        return CANNOT if is_agreement(contrast.cell.measure) else None
    if difference.n < FEWEST:
        return f"{difference.n} paired replicates; a test needs {FEWEST}"
    return f"all {difference.n} differences are {100 * (difference.mean or 0):+.2f} points: no spread to test"
