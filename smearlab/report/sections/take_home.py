"""The chosen methods as code for a training loop of one's own."""

import json
from dataclasses import dataclass
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import MethodSettings
from smearlab.export.formula import formula
from smearlab.figures import _format as text
from smearlab.grid.estimator import read_estimator
from smearlab.report.fields import number_of
from smearlab.statistics.cells import CONDITION, records, treatment
from smearlab.store.tables import Tables

NAMED = (*CONDITION, "recipe", "role", "method", "alpha", "transition", "options")
PLACE = (*CONDITION, "recipe")


@dataclass(frozen=True)
class Snippet:
    """A method as code: how it is called, where it was chosen, and code that needs torch alone."""

    title: str
    places: list[str]
    code: str


def take_home(tables: Tables) -> list[Snippet]:
    """Return the methods that the advice chose among teachers, each once, in the order of the table of choices."""
    rows = records(tables.summary, NAMED)
    found: dict[tuple[str, str], Snippet] = {}
    for choice in records(tables.choice, (*PLACE, "role", "advice")):
        if choice["role"] == "teacher" and choice["advice"]:
            for row in rows:
                if _is_chosen(row, choice) and (code := _code(row, tables)):
                    title = text.method_label({**row, "alpha": number_of(row["alpha"])})
                    found.setdefault((title, code), Snippet(title, [], code)).places.append(_place(row))
    return list(found.values())


def _is_chosen(row: dict[str, Any], choice: dict[str, Any]) -> bool:
    same = all(row[name] == choice[name] for name in (*PLACE, "role"))
    return same and treatment(row) == choice["advice"]


def _place(row: dict[str, Any]) -> str:
    rate = text.rate(number_of(row["noise_rate"]))
    return f"{row['dataset']}, {row['noise'].replace('_', ' ')} {rate}, {row['recipe']}"


def _code(row: dict[str, Any], tables: Tables) -> str | None:
    """Return the code of a method; None where a part of it (an estimate, a matrix from a file) is not in the tables."""
    options = json.loads(row["options"] or "{}")
    warm_up = options.pop("warm_up", 0.0)
    if registry.describe("methods", row["method"]).constants.get("FILES"):
        return None
    transition = _transition(row, tables) if row["transition"] else None
    if row["transition"] and transition is None:
        return None
    method = MethodSettings(row["method"], row["alpha"], row["transition"] or None, options, warm_up)
    return formula(method, transition)


def _transition(row: dict[str, Any], tables: Tables) -> list[list[float]] | None:
    """Return the estimated T of a row, the mean over its replicates."""
    if read_estimator(row["transition"]) is None:
        return None
    spelled = row["transition"].removeprefix("estimated(").removesuffix(")")
    for entry in tables.context.get("estimates", []):
        if entry["estimator"] == spelled and all(entry[name] == row[name] for name in PLACE if name in entry):
            return entry["transition"]
    return None
