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
    return _numbers(PUBLISHED)


@cache
def beyond() -> tuple[dict[str, Any], ...]:
    """Return the published numbers of methods that no grid has, as `published` does; arch as they state it."""
    return _numbers(BEYOND)


def _numbers(path: Path) -> tuple[dict[str, Any], ...]:
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
    runs = metrics.drop_duplicates(["cell", "noise_seed", "seed"])
    rows = []
    for cell in _records(summary):
        condition = _condition(cell, context["config"])
        if condition is not None:
            matching = [number for number in published() if _matches(cell, condition, number)]
            rows += [_row(cell, runs[runs["cell"] == cell["cell"]], number) for number in matching]
    compared = [row for row in rows if row["n"] > 0]
    return pd.DataFrame([*compared, *_beyond(summary[summary["cell"].isin(runs["cell"])], context)], columns=COLUMNS)


def _beyond(trained: pd.DataFrame, context: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each number of beyond.yaml and each place where cross-entropy was trained on its labels."""
    plain = trained[(trained["role"] == "teacher") & (trained["method"] == "cross_entropy")]
    places = _records(plain.drop_duplicates(["dataset", "noise", "noise_rate"]))
    found = [(place, _condition(place, context["config"])) for place in places]
    return [
        {**{key: place[key] for key in ("dataset", "noise", "noise_rate", "role")}, **_theirs(number)}
        for place, condition in found
        for number in beyond()
        if condition is not None and _same_labels(condition, number)
    ]


def _same_labels(condition: Mapping[str, Any], number: Mapping[str, Any]) -> bool:
    return all(_equal(value, number.get(key)) for key, value in condition.items())


def _theirs(number: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: number.get(key) for key in ("arch", "method", *THEIRS)},
        "n": 0,
        "ours_is": "none: a reference row",
        "their_n": number["n"],
        "their_mean": number["mean"] / 100,
        "their_std": number["std"] / 100,
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(column): value for column, value in row.items()} for row in frame.to_dict("records")]


def _condition(cell: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what published numbers call a cell's data and noise; None for a subset of the data."""
    data, noise = config["datasets"][cell["dataset"]], config["noises"][cell["noise"]]
    if data.get("subset") is not None or data.get("test_subset") is not None:
        return None
    name = cell["dataset"] if data["kind"] in OWN else data["kind"]
    if cell["noise_rate"] == 0:
        return {"dataset": name, "noise": "none", "column": None, "rate": None}
    rate = _known(cell["noise_rate"])
    standard = not noise.get("class_map")
    kind = noise["kind"] if standard else f"{noise['kind']} with its own classes"
    return {"dataset": name, "noise": kind, "column": noise.get("column"), "rate": rate}


def _matches(cell: Mapping[str, Any], condition: Mapping[str, Any], number: Mapping[str, Any]) -> bool:
    same = all(
        _equal(condition[key], None if condition["noise"] == "none" and key == "rate" else number.get(key))
        for key in condition
    )
    return (
        same
        and cell["arch"] == number["arch"]
        and cell["role"] == number.get("role", "teacher")
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


def _row(cell: Mapping[str, Any], runs: pd.DataFrame, number: Mapping[str, Any]) -> dict[str, Any]:
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
