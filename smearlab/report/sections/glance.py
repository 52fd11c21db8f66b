"""The verdicts at a glance: a row per method, a column per noise rate."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.fields import chip, row_label
from smearlab.report.rules import beside
from smearlab.report.sections import own_treatment
from smearlab.report.table import Field
from smearlab.statistics import verdict as verdicts
from smearlab.store.tables import Tables

ROLES = {"teacher": "Methods against cross-entropy", "student": "Students, by their teacher's method"}


@dataclass(frozen=True)
class Glance:
    """Verdicts of one condition and role; None where the grid has no such cell."""

    title: str
    rates: list[str]
    rows: list[tuple[str, list[Field | None]]]


def glances(tables: Tables) -> list[Glance]:
    """Return the verdicts, teachers before students, a block per condition."""
    everywhere, found = cells.conditions(tables.summary), []
    own = {row["key"]: own_treatment.beside(row) for _, row in own_treatment.compared(tables).iterrows()}
    for role, what in ROLES.items():
        rows = tables.summary[tables.summary["role"] == role]
        for condition in cells.conditions(rows):
            name = cells.condition_name(condition, everywhere)
            title = f"{what}: {name}" if name else what
            found.append(_glance(cells.within(rows, condition), title, role, own))
    return found


def _glance(rows: pd.DataFrame, title: str, role: str, own: Mapping[str, Field]) -> Glance:
    rates = [text.rate(rate) for rate in cells.rates(rows)]
    by_label: dict[str, dict[str, Field]] = {}
    for _, row in rows.iterrows():
        is_compared = row["verdict"] == verdicts.BASELINE and row["key"] in own
        said = own[row["key"]] if is_compared else verdict_field(row)
        by_label.setdefault(row_label(row, role), {})[text.rate(row["noise_rate"])] = said
    return Glance(title, rates, [(label, [found.get(rate) for rate in rates]) for label, found in by_label.items()])


def verdict_field(row: pd.Series) -> Field:
    """Return a comparison as a chip with its difference, its n, and what the other stopping rule says."""
    verdict = row["verdict"] or verdicts.MISSING
    match verdict:
        case verdicts.MISSING:
            return chip(verdict)
        case verdicts.BASELINE:
            lost = f"; {row['n_diverged']:.0f} of {row['n']:.0f} diverged" if row["n_diverged"] > 0 else ""
            return chip(verdict, f"{text.percent(row['mean'])}, n = {row['n_finished']:.0f}{lost}")
        case verdicts.DIVERGED:
            own = row["n_diverged"] > 0
            return chip(verdict, f"{row['n_diverged']:.0f} of {row['n']:.0f}" if own else "its baseline")
    if math.isnan(row["difference"]):
        alone = verdict in (verdicts.NO_BASELINE, verdicts.IDENTICAL)
        return chip(verdict, f"n = {row['n']:.0f}" if alone else "n = 0 pairs")
    other = beside(row)
    return chip(verdict, f"{text.points(row['difference'])}, n = {row['n_paired']:.0f}{other and '; '}{other}")
