"""How far the answers of one grid move from a run to another: on another machine, by another version."""

from dataclasses import dataclass

import pandas as pd

from smearlab.core import columns
from smearlab.figures import _format as text
from smearlab.report.fields import chip, row_label
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

    @property
    def judged(self) -> list[Pair]:
        """Those that are compared with a baseline in both."""
        return [(a, b) for a, b in self.pairs if not (pd.isna(a["difference"]) or pd.isna(b["difference"]))]

    @property
    def flipped(self) -> list[Pair]:
        """Those of them whose verdict is another one."""
        return [(a, b) for a, b in self.judged if a["verdict"] != b["verdict"]]

    @property
    def sentence(self) -> str:
        """How many means and verdicts differ, and by how much."""
        differ = sum(gap > SAME for gap in self.gaps)
        apart = f", by up to {text.plain(100 * max(self.gaps))} points" if differ else ""
        cells, verdicts = text.counted(len(self.pairs), "cell mean"), text.counted(len(self.judged), "verdict")
        return f"{differ} of {cells} differ{apart}; {len(self.flipped)} of {verdicts} are others"


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
            first: chip(a["verdict"], text.points(a["difference"])),
            second: chip(b["verdict"], text.points(b["difference"])),
        }
        for a, b in found.flipped
    ]
    return table("Verdicts that are others", rows) if rows else None


def _computed(summary: pd.DataFrame) -> pd.DataFrame:
    return summary[summary["mean"].notna()]


def _key(row: pd.Series) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("cell", *columns.NAMES, "n", "n_diverged"))
