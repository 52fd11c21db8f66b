"""Some methods side by side, from the inside: where the headline stands, at the highest noise rate."""

from collections.abc import Iterable

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import facts
from smearlab.report.primary import primary_rows
from smearlab.report.sections._quantities import QUANTITIES, mean, mean_and_deviation, title, values_of
from smearlab.report.table import Field, Table, wide_table
from smearlab.store.tables import Tables

MOST_METHODS = 8
SAID = ("logit_spread", "weight_norm", "feature_tightness", "margin_wrong_part", "test_ece", "test_ece_scaled")


def side_by_side(tables: Tables) -> Table | None:
    """Return the quantities of the methods at the headline's highest noise rate, a column for each method."""
    panel = _panel(tables)
    if panel is None:
        return None
    rows = cells.ends(panel.summary, MOST_METHODS)
    found = {text.method_label(row): values_of(panel.metrics, row["key"]) for _, row in rows.iterrows()}
    found = {label: values for label, values in found.items() if len(values)}
    known = [name for name in QUANTITIES if any(values[name].notna().any() for values in found.values())]
    if not known:
        return None
    note = f"Mean ± standard deviation over replicates ({_n(found.values())}), teachers at {panel.title}."
    kinds = ["", *["num"] * len(found)]
    return wide_table("Side by side", [_row(name, found) for name in known], kinds, note)


def _row(name: str, found: dict[str, pd.DataFrame]) -> dict[str, Field]:
    values = {label: Field(mean_and_deviation(values[name], name)) for label, values in found.items()}
    return {"quantity": Field(title(name)), **values}


def sentences(tables: Tables) -> list[str]:
    """Say what the headline smoothing changes inside, beside cross-entropy in the same place."""
    panel = _panel(tables)
    if panel is None:
        return []
    smoothed = primary_rows(panel.summary, facts(tables)).head(1)
    plain = cells.plain_rows(panel.summary).head(1)
    if not len(smoothed) or not len(plain):
        return []
    sides = [values_of(panel.metrics, row["key"].iloc[0]) for row in (plain, smoothed)]
    if not (changes := _changes(*sides)):
        return []
    method = text.method_phrase(smoothed.iloc[0])
    return [f"At {panel.title}, from cross-entropy to {method}: {'; '.join(changes)}. Means, {_n(sides)}, not tested."]


def _changes(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    return [
        f"{QUANTITIES[name]} {mean(before[name], name)} → {mean(after[name], name)}"
        for name in SAID
        if before[name].notna().any() and after[name].notna().any()
    ]


def _panel(tables: Tables) -> cells.Panel | None:
    """The headline's condition at its highest rate; without a headline the last noisy one, else the last."""
    noisy = cells.select(tables, "teacher", noisy_only=True)[0] or cells.select(tables, "teacher")[0]
    computed = [panel for panel in noisy if len(panel.metrics)]
    keys = set(primary_rows(tables.summary, facts(tables))["key"])
    with_headline = [panel for panel in computed if keys & set(panel.metrics["key"])]
    found = with_headline or computed
    return found[-1] if found else None


def _n(sides: Iterable[pd.DataFrame]) -> str:
    return cells.n_range(pd.Series([len(values) for values in sides]))
