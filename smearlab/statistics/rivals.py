"""The headline against the other methods in its place: their own paired differences, not two intervals side by side."""

from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.statistics.cells import (
    CONDITION,
    TREATMENT,
    Cell,
    Peers,
    key_of,
    margin_columns,
    name_types,
    read,
    records,
    table,
    types_of,
)
from smearlab.statistics.contrasts import Contrast, adjusted, comparison, contrast, note

HEADLINE = tuple(f"headline_{name}" for name in TREATMENT)
NAMES = (*CONDITION, "recipe", "arch", *TREATMENT)
COLUMNS = {**name_types(NAMES), **types_of(columns.RIVALS)}


def rivals(metrics: pd.DataFrame, summary: pd.DataFrame, *, margin: float) -> pd.DataFrame:
    """Return a row for each headline of the teachers (HEADLINE) and each other method in its place.

    Cross-entropy is none of these, whatever its name: smoothing of 0 is the same computation.

    `difference` is the headline minus that method, in 0..1, paired by replicate (`n` pairs): `helps` says that the
    headline is better. Holm's families are those of the other methods, so that a method of another kind changes none
    of these verdicts. `margin` in points.
    """
    cells = [cell for cell in read(metrics) if cell.names["role"] == "teacher" and cell.n]
    rows = records(summary[summary["role"] == "teacher"], [*NAMES, "primary"])
    flagged = {key_of(row, NAMES) for row in rows if row["primary"]}
    peers = Peers(cells)
    others = [cell for cell in cells if not ((plain := peers.plain(cell)) and cell.same_computation(plain))]
    pairs = [
        (headline, other)
        for headline in cells
        for other in others
        if headline.key(NAMES) in flagged and _is_rival(headline, other)
    ]
    contrasts = adjusted([contrast(*pair, tested=pair[1]) for pair in pairs])
    return table((_row(found, margin) for found in contrasts), COLUMNS)


def _is_rival(headline: Cell, other: Cell) -> bool:
    place = (*CONDITION, "recipe")
    return headline is not other and not other.is_plain and headline.key(place) == other.key(place)


def _row(found: Contrast, margin: float) -> dict[str, Any]:
    other = found.baseline
    assert other is not None
    return {
        **{name: other.names[name] for name in NAMES},
        **{column: found.cell.names[name] for column, name in zip(HEADLINE, TREATMENT, strict=True)},
        "n": found.difference.n,
        **comparison(found, margin),
        **margin_columns(margin),
        "measure": found.cell.measure,
        "note": note(found, ("of the headline", "of the other method")),
    }
