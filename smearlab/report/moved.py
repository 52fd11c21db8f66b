"""How far the answers of one grid move from a run to another: on another machine, by another version."""

from dataclasses import dataclass

import pandas as pd

from smearlab.core import columns
from smearlab.figures import _format as text
from smearlab.report.fields import chip, row_label
from smearlab.report.rules import LAST, WHEN
from smearlab.report.table import Field, Table, table

SAME = 1e-12  # means this close are one number
Pair = tuple[pd.Series, pd.Series]


@dataclass(frozen=True)
class Moved:
    """Two runs of the same computations: each cell that both have, with as many replicates, beside itself."""

    pairs: list[Pair]

    @property
    def gaps(self) -> list[float]:
        """The absolute differences of the means, in 0..1."""
        return [abs(b["mean"] - a["mean"]) for a, b in self.pairs]

    def judged(self, rule: str = LAST) -> list[Pair]:
        """Those that are compared with a baseline in both, where that stopping rule stops."""
        gain, _ = _at(rule)
        return [(a, b) for a, b in self.pairs if pd.notna(a.get(gain)) and pd.notna(b.get(gain))]

    def flipped(self, rule: str = LAST) -> list[Pair]:
        """Those of them whose verdict is another one."""
        _, verdict = _at(rule)
        return [(a, b) for a, b in self.judged(rule) if a[verdict] != b[verdict]]

    @property
    def rules(self) -> list[str]:
        """The stopping rules at which there are verdicts in both; at least the last epoch."""
        return [rule for rule in WHEN if rule == LAST or self.judged(rule)]

    @property
    def sentence(self) -> str:
        """How many means and verdicts differ, and by how much."""
        differ = sum(gap > SAME for gap in self.gaps)
        apart = f", by up to {text.plain(100 * max(self.gaps))} points" if differ else ""
        others = [self._others(rule) for rule in self.rules]
        said = f"{differ} of {text.counted(len(self.pairs), 'cell mean')} differ{apart}"
        return f"{said}; {text.listing(others)} are others"

    def _others(self, rule: str) -> str:
        counted = f"{len(self.flipped(rule))} of {text.counted(len(self.judged(rule)), 'verdict')}"
        return f"{counted} {WHEN[rule]}" if len(self.rules) > 1 else counted


def _at(rule: str) -> tuple[str, str]:
    """Return the columns of gain and verdict at a stopping rule; those of the last epoch every release has."""
    return ("difference", "verdict") if rule == LAST else (f"difference_{rule}", f"verdict_{rule}")


def moved(first: pd.DataFrame, second: pd.DataFrame) -> Moved | None:
    """Return the cells of two summaries that are the same computation; None where there is none."""
    others = {_key(row): row for _, row in _computed(second).iterrows()}
    pairs = [(row, others[key]) for _, row in _computed(first).iterrows() if (key := _key(row)) in others]
    return Moved(pairs) if pairs else None


def flipped_table(found: Moved, first: str, second: str) -> Table | None:
    """Return a row for each verdict that is another one; None where all are the same."""
    rows = [
        {
            "data set": Field(a["dataset"]),
            "noise": Field(a["noise"].replace("_", " ")),
            "recipe": Field(a["recipe"]),
            "rate": Field(text.rate(a["noise_rate"])),
            "method": Field(row_label(a, a["role"])),
            "stopped": Field(WHEN[rule]),
            first: _verdict(a, rule),
            second: _verdict(b, rule),
        }
        for rule in found.rules
        for a, b in found.flipped(rule)
    ]
    return table("Verdicts that are others", rows) if rows else None


def _verdict(row: pd.Series, rule: str) -> Field:
    gain, verdict = _at(rule)
    return chip(row[verdict], text.points(row[gain]))


def _computed(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[summary["mean"].notna()]


def _key(row: pd.Series) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("cell", *columns.NAMES, "n", "n_diverged"))
