"""Published numbers of the same data set, noise and method that no cell matches: for orientation alone."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from smearlab.reference.compare import (
    COLUMNS,
    beyond_rows,
    condition_of,
    matching,
    numbers_of,
    published,
    records,
    row_of,
    same_labels,
    same_treatment,
)
from smearlab.statistics.cells import each_network

NEARBY = Path(__file__).with_name("nearby.yaml")


@cache
def further() -> tuple[dict[str, Any], ...]:
    """Return published numbers of networks that no grid has, as compare.published does."""
    return numbers_of(NEARBY)


def nearby(summary: pd.DataFrame, metrics: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for each cell without a match of its own and each number of its data set, noise and method.

    summary, metrics, context as in compare.beside, whose columns these rows have. `differs` says in what the cell is
    another experiment (images, network, T), and there is no difference to count. Without noise only what was published
    of a network under noise too stands beside a cell, so that the page is no list of clean accuracies.
    """
    runs = each_network(metrics)
    config = context["config"]
    found = [
        {**row_of(cell, runs[runs["cell"] == cell["cell"]], number), **_apart(cell, number, config)}
        for cell in records(summary)
        for number in _near(cell, config)
    ]
    trained = summary[summary["cell"].isin(runs["cell"])]
    rows = [row for row in found if row["n"] > 0]
    return pd.DataFrame([*rows, *beyond_rows(trained, config, whole=False)], columns=COLUMNS)


def _near(cell: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    if matching(cell, config):
        return []
    condition = condition_of(cell, config)
    return [number for number in (*published(), *further()) if _is_near(cell, condition, number)]


def _is_near(cell: Mapping[str, Any], condition: Mapping[str, Any], number: Mapping[str, Any]) -> bool:
    return (
        same_labels(condition, number)
        and same_treatment(cell, _of_the_overall_rate(cell, number))
        and (condition["noise"] != "none" or (number["paper"], number["dataset"], number["arch"]) in _under_noise())
    )


def _of_the_overall_rate(cell: Mapping[str, Any], number: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a correction of a free α as one of the matched T, which is near; any other number as it is."""
    if number.get("transition") == "alpha" and cell["transition"] == "matched":
        return {**number, "transition": "matched", "alpha": None}
    return number


@cache
def _under_noise() -> frozenset[tuple[str, str, str]]:
    noisy = (number for number in (*published(), *further()) if number["noise"] != "none")
    return frozenset((number["paper"], number["dataset"], number["arch"]) for number in noisy)


def _apart(cell: Mapping[str, Any], number: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    return {"difference": None, "standard_errors": None, "differs": _differs(cell, number, config)}


def _differs(cell: Mapping[str, Any], number: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    data = config["datasets"][cell["dataset"]]
    said = [
        f"{cell['arch']}, theirs {number['arch']}" if cell["arch"] != number["arch"] else "",
        f"{data['subset']:,} training and validation images" if data.get("subset") else "",
        f"{data['test_subset']:,} test images" if data.get("test_subset") else "",
        f"their T is that of α = {number['alpha']:g}" if number.get("transition") == "alpha" else "",
    ]
    return "; ".join(filter(None, said))
