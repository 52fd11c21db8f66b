"""A grid's accuracies beside published ones: where a cell matches one, and of methods that no grid has."""

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from smearlab.core import columns, registry
from smearlab.statistics.cells import each_network

PUBLISHED = Path(__file__).with_name("published.yaml")
BEYOND = Path(__file__).with_name("beyond.yaml")
OWN = ("arrays", "folder")  # known by the name that the config gives them
NAMED = ["dataset", "noise", "noise_rate", "recipe", "arch", "role", "method", "alpha", "transition"]
NAMED += ["teacher_method", "teacher_alpha", "temperature", "beta"]
THEIRS = columns.names(columns.REFERENCE, columns.THEIRS)
REPORTED = ("reported", "test_accuracy")
OURS_BY_PROTOCOL = {  # what of ours stands beside a number of that epoch, and its column
    "last": ("last", "test_accuracy_last"),
    "selected": ("selected", "test_accuracy_selected"),
    "best_on_test": ("best_on_test", "best_on_test_accuracy"),
}
COLUMNS = [*NAMED, *columns.names(columns.REFERENCE)]


@cache
def published() -> tuple[dict[str, Any], ...]:
    """Return the published numbers, one flat mapping each; accuracies in percent, as printed."""
    return numbers_of(PUBLISHED)


@cache
def beyond() -> tuple[dict[str, Any], ...]:
    """Return the published numbers of methods that no grid has, as `published` does; arch as they state it."""
    return numbers_of(BEYOND)


def numbers_of(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the numbers of a file, each with what its group states."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))
    shared = [{key: value for key, value in group.items() if key != "numbers"} for group in groups]
    return tuple({**s, **number} for s, group in zip(shared, groups, strict=True) for number in group["numbers"])


def beside(summary: pd.DataFrame, metrics: pd.DataFrame, context: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row for each cell and each published number that it matches; empty, with columns, where none does.

    summary, metrics: a grid's tables; context: its config. Accuracies are shares. Against a number of the last epoch,
    or of one chosen on validation data (`protocol` last, selected), stands ours of the same kind; against one whose
    epoch was chosen on the test set (best_on_test) our diagnosis of that name, over snapshots; against all others the
    reported accuracy: `ours_is` says which. standard_errors: the difference divided by
    sqrt(s1²/n1 + s2²/n2), null where a deviation or a number of runs is unknown or the deviations are 0. A cell of a
    subset of the data matches nothing. Methods that no grid has (beyond.yaml) have a row without a number of ours
    wherever cross-entropy was trained on the same labels.
    """
    runs = each_network(metrics)
    config = context["config"]
    rows = [
        row_of(cell, runs[runs["cell"] == cell["cell"]], number)
        for cell in records(summary)
        for number in matching(cell, config)
    ]
    compared = [row for row in rows if row["n"] > 0]
    trained = summary[summary["cell"].isin(runs["cell"])]
    return pd.DataFrame([*compared, *beyond_rows(trained, config, whole=True)], columns=COLUMNS)


def matching(cell: Mapping[str, Any], config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the published numbers of a cell's data, noise, network and method; none for a subset of the data."""
    if not is_whole(cell, config):
        return []
    condition = condition_of(cell, config)
    return [
        number
        for number in published()
        if same_labels(condition, number) and cell["arch"] == number["arch"] and same_treatment(cell, number)
    ]


def beyond_rows(trained: pd.DataFrame, config: Mapping[str, Any], *, whole: bool) -> list[dict[str, Any]]:
    """Return a row for each number of beyond.yaml and each place where cross-entropy was trained on its labels.

    trained: summary rows; whole: whether places with all of the data are meant, or those with a subset.
    """
    plain = trained[(trained["role"] == "teacher") & (trained["method"] == "cross_entropy")]
    places = records(plain.drop_duplicates(["dataset", "noise", "noise_rate"]))
    return [
        {**{key: place[key] for key in ("dataset", "noise", "noise_rate", "role")}, **_theirs(number)}
        for place in places
        for number in beyond()
        if is_whole(place, config) == whole and same_labels(condition_of(place, config), number)
    ]


def same_labels(condition: Mapping[str, Any], number: Mapping[str, Any]) -> bool:
    """Whether a published number is of these data and this noise; without noise its rate is not asked for."""
    asked = {key: value for key, value in condition.items() if key != "rate" or condition["noise"] != "none"}
    return all(_equal(value, number.get(key)) for key, value in asked.items())


def _theirs(number: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: number.get(key) for key in ("arch", "method", *THEIRS)},
        "n": 0,
        "ours_is": "none: a reference row",
        "their_n": number["n"],
        "their_mean": number["mean"] / 100,
        "their_std": number["std"] / 100 if "std" in number else None,
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as mappings."""
    return [{str(column): value for column, value in row.items()} for row in frame.to_dict("records")]


def is_whole(cell: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether a cell has all examples of its data set."""
    data = config["datasets"][cell["dataset"]]
    return data.get("subset") is None and data.get("test_subset") is None


def condition_of(cell: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what published numbers call a cell's data and noise."""
    data, noise = config["datasets"][cell["dataset"]], config["noises"][cell["noise"]]
    name = cell["dataset"] if data["kind"] in OWN else data["kind"]
    if cell["noise_rate"] == 0:
        return {"dataset": name, "noise": "none", "column": None, "rate": None}
    rate = _known(cell["noise_rate"])
    standard = not noise.get("class_map")
    kind = noise["kind"] if standard else f"{noise['kind']} with its own classes"
    return {"dataset": name, "noise": kind, "column": noise.get("column"), "rate": rate}


def same_treatment(cell: Mapping[str, Any], number: Mapping[str, Any]) -> bool:
    """Whether a published number is of a cell's role and method, with its strength, T and teacher."""
    return (
        cell["role"] == number.get("role", "teacher")
        and cell["method"] == number["method"]
        and _equal(_known(cell["alpha"]), number.get("alpha"))
        and _same_transition(_known(cell["transition"]), number.get("transition"))
        and (_known(cell.get("teacher_method")) or None) == number.get("teacher_method")
        and _at_defaults(cell)
    )


def _known(value: Any) -> Any:
    """Return None for a null of any kind, and for an empty text."""
    return None if value is None or value is pd.NA or value == "" or value != value else value


def _equal(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, abs_tol=1e-12)
    return ours == theirs


def _same_transition(ours: str | None, theirs: str | None) -> bool:
    return (ours or "").startswith("estimated(") if theirs == "estimated" else ours == theirs


def _at_defaults(cell: Mapping[str, Any]) -> bool:
    """Whether all further options of a cell's method are those of the registry."""
    options = registry.describe("methods", cell["method"]).options
    given = json.loads(_known(cell.get("options")) or "{}")
    return all(key in options and options[key].default == value for key, value in given.items())


def row_of(cell: Mapping[str, Any], runs: pd.DataFrame, number: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell and a published number in one row; runs: the cell's rows of the metrics."""
    ours_is, column = OURS_BY_PROTOCOL.get(number["protocol"], REPORTED)
    ours = runs[column].dropna().astype(float)
    n, mean = len(ours), float(ours.mean()) if len(ours) else None
    std = float(ours.std(ddof=1)) if n > 1 else None
    theirs = {
        "their_n": number["n"],
        "their_mean": number["mean"] / 100,
        "their_std": number["std"] / 100 if "std" in number else None,
    }
    return {
        **{column: cell.get(column) for column in NAMED},
        "n": n,
        "mean": mean,
        "std": std,
        "ours_is": ours_is,
        **{key: number.get(key) for key in THEIRS},
        **theirs,
        "difference": mean - theirs["their_mean"] if n else None,
        "standard_errors": _standard_errors(n, mean, std, **theirs),
    }


def _standard_errors(
    n: int, mean: float | None, std: float | None, their_n: int | None, their_mean: float, their_std: float | None
) -> float | None:
    if mean is None or std is None or their_std is None or not their_n:
        return None
    error = math.sqrt(std**2 / n + their_std**2 / their_n)
    return (mean - their_mean) / error if error > 0 else None
