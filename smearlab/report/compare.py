"""Two finished grids on one page: what each says, their common cells side by side, and noise × method over both."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from smearlab.core import columns
from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.answer import answer
from smearlab.report.facts import facts
from smearlab.report.fields import chip, mean_sd, row_label
from smearlab.report.moved import flipped_table, moved
from smearlab.report.paper import MEANING, difference
from smearlab.report.table import Field, Table, table, wide_table
from smearlab.report.template import fill
from smearlab.statistics import verdict as verdicts
from smearlab.statistics.cells import each_network
from smearlab.store.files import write_text
from smearlab.store.tables import Tables

PLACE = ("dataset", "noise", "noise_rate", "recipe")
TREATMENT = [name for name in columns.NAMES if name not in (*PLACE, "arch")]
LEVEL = 0.95


@dataclass(frozen=True)
class Side:
    """One of the two grids: its name and its tables."""

    name: str
    tables: Tables


def write_comparison(first: Side, second: Side, out: str | Path) -> None:
    """Write the page of two grids as one file; the same tables give the same bytes."""
    write_text(out, fill(comparison(first, second), "", "compare.html.j2"))


def comparison(first: Side, second: Side) -> dict[str, Any]:
    """Return all that the page of two grids shows."""
    shared = side_by_side(first, second)
    again = moved(first.tables.summary, second.tables.summary)
    return {
        "title": f"{first.name} and {second.name}",
        "name": "compare",
        "sides": [
            (side.name, answer(side.tables.summary, facts(side.tables), side.tables.mitigation))
            for side in (first, second)
        ],
        "shared": shared,
        "differ": _what_differs(first, second),
        "moved": again.sentence if again else "",
        "flipped": flipped_table(again, first.name, second.name) if again else None,
        "noises": [made for role in ("teacher", "student") if (made := noises([first, second], role))],
        "meaning": MEANING,
    }


def side_by_side(first: Side, second: Side) -> Table | None:
    """Return a row for each cell that both grids have; None where there is none.

    Cells are the same where all agrees that names them, but for a data set, noise or recipe that is the only one of
    its grid. The last columns compare the two differences to the baselines, by Welch's t of the two means of paired
    differences: the grids are independent samples.
    """
    alone = [name for name in ("dataset", "noise", "recipe") if _is_single(first, name) and _is_single(second, name)]
    named = [name for name in (*PLACE, *TREATMENT) if name not in alone]
    others = {_key(row, named): row for _, row in _computed(second).iterrows()}
    pairs = [(row, others[key]) for _, row in _computed(first).iterrows() if (key := _key(row, named)) in others]
    if not pairs:
        return None
    rows = [_pair(a, b, first.name, second.name, alone) for a, b in pairs]
    return table("Cells that both grids have", rows)


def _is_single(side: Side, name: str) -> bool:
    values = set(side.tables.summary[name]) - ({"clean"} if name == "noise" else set())
    return len(values) == 1


def _computed(side: Side) -> pd.DataFrame:
    return side.tables.summary[side.tables.summary["n"] > 0]


def _key(row: pd.Series, named: list[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in named)


def _pair(a: pd.Series, b: pd.Series, first: str, second: str, alone: list[str]) -> dict[str, Field]:
    gap = difference_of_differences(a, b)
    return {
        **{
            title: Field(a[name].replace("_", " "))
            for title, name in (("data set", "dataset"), ("noise", "noise"), ("recipe", "recipe"))
            if name not in alone
        },
        "rate": Field(text.rate(a["noise_rate"])),
        "role": Field(a["role"]),
        "method": Field(row_label(a, a["role"])),
        f"{first}, %": mean_sd(a["mean"], a["std"]),
        f"{second}, %": mean_sd(b["mean"], b["std"]),
        f"{first}: to its baseline": _verdict(a),
        f"{second}: to its baseline": _verdict(b),
        "second minus first": Field(text.points(gap[0])),
        "its 95 % interval": Field(text.interval(gap[1], gap[2])),
    }


def _verdict(row: pd.Series) -> Field:
    if math.isnan(row["difference"]):
        return chip(row["verdict"] or verdicts.MISSING)
    return chip(row["verdict"], f"{text.points(row['difference'])}, n = {row['n_paired']:.0f}")


def difference_of_differences(a: pd.Series, b: pd.Series) -> tuple[float, float, float]:
    """Return the difference to the baseline in b minus that in a, with its 95 % interval (Welch), as shares.

    NaN where one of them has none; the ends are NaN where an error is unknown, and where both are the same networks.
    The standard error of each side follows from its own 95 % t interval.
    """
    gap = b["difference"] - a["difference"]
    if a.get("cell") and a.get("cell") == b.get("cell"):
        return gap, math.nan, math.nan
    errors = [_error(row) for row in (a, b)]
    if not np.isfinite([gap, *errors]).all() or not any(errors):
        return gap, math.nan, math.nan
    variance = errors[0] ** 2 + errors[1] ** 2
    freedom = variance**2 / sum(e**4 / (row["n_paired"] - 1) for e, row in zip(errors, (a, b), strict=True))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(variance)
    return gap, gap - half, gap + half


def _error(row: pd.Series) -> float:
    if not row["n_paired"] > 1:
        return math.nan
    return (row["ci_high"] - row["ci_low"]) / 2 / float(stats.t.ppf((1 + LEVEL) / 2, row["n_paired"] - 1))


def _what_differs(first: Side, second: Side) -> Table:
    """Return what the grids say of themselves, beside each other."""
    said = {side.name: _said(side) for side in (first, second)}
    records = [
        {"what": Field(what), **{name: Field(of[what]) for name, of in said.items()}} for what in said[first.name]
    ]
    return wide_table("The two grids", records, ["", "long", "long"])


def _said(side: Side) -> dict[str, str]:
    summary, metrics = side.tables.summary, side.tables.metrics
    networks = each_network(metrics)
    return {
        "data sets": ", ".join(dict.fromkeys(summary["dataset"])),
        "noises": ", ".join(name.replace("_", " ") for name in dict.fromkeys(summary["noise"])),
        "rates": ", ".join(map(text.rate, cells.rates(summary))),
        "networks": ", ".join(dict.fromkeys(summary["arch"])) if "arch" in summary else text.DASH,
        "recipes": ", ".join(dict.fromkeys(summary["recipe"])),
        "cells, trained networks": f"{len(summary)}, {len(networks)}",
        "margin": ", ".join(f"{text.plain(value)} points" for value in summary["margin"].dropna().unique()),
        "code": str(side.tables.context.get("code_version", text.DASH)),
    }


def noises(sides: list[Side], role: str) -> Table | None:
    """Return a row for each place of the grids and a column for each method: the accuracy of the baseline, then
    differences to it with the verdict's mark; None where no grid has the role."""
    records: dict[str, dict[str, str]] = {}
    methods: dict[str, None] = {}
    for side in sides:
        rows = _computed(side)
        for _, row in rows[rows["role"] == role].iterrows():
            where = f"{row['dataset']}, {row['noise'].replace('_', ' ')} {text.rate(row['noise_rate'])}"
            place = f"{side.name}: {where}, {row['recipe']}"
            label = row_label(row, role)
            methods[label] = None
            records.setdefault(place, {})[label] = difference(row)
    if not records:
        return None
    rows_ = [{"noise": Field(p), **{m: Field(found.get(m, "")) for m in methods}} for p, found in records.items()]
    title = "Noise × method" if role == "teacher" else "Noise × student"
    return wide_table(title, rows_, ["", *("num" for _ in methods)])
