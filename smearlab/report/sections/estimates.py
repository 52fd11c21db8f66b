"""What the estimated transition matrices say of the noise."""

from typing import Any

from smearlab.figures import _format as text
from smearlab.report.fields import mean_sd, number_of, place, words
from smearlab.report.table import Field, Table, table
from smearlab.store.tables import Tables

LEAST_KEPT = 0.05  # below this, noisy labels say too little to be turned into clean accuracy
MOST_CONFUSIONS = 3


def estimates(tables: Tables) -> Table | None:
    """Return a row for each estimated matrix; None where there is none."""
    found = tables.context.get("estimates", [])
    if not found:
        return None
    return table("Estimated noise", [_row(entry, _class_names(tables, entry)) for entry in found])


def _row(entry: dict[str, Any], class_names: list[Any]) -> dict[str, Field]:
    error, rate = entry["error"], entry["noise_rate_estimated"]
    return {
        **place(entry),
        "estimator": words(entry["estimator"]),
        "n": Field(str(entry["n"])),
        "estimated share of wrong labels, %": mean_sd(rate, number_of(entry["noise_rate_std"])),
        "a point on noisy labels is": Field(_worth(rate, len(entry["transition"]))),
        "error of T": Field(text.DASH if error is None else f"{error:.3f}"),
        "most frequent confusions": Field(_confusions(entry["transition"], class_names)),
    }


def _class_names(tables: Tables, entry: dict[str, Any]) -> list[Any]:
    known = tables.context.get("datasets", {}).get(entry["dataset"], {}).get("class_names")
    return known or list(range(len(entry["transition"])))


def _worth(rate: float, n_classes: int) -> str:
    """Return what a gain of a point on noisy labels is on clean ones, for errors spread evenly over the classes."""
    kept = 1 - rate * n_classes / (n_classes - 1)
    return text.DASH if kept < LEAST_KEPT else f"{1 / kept:.2f} on clean ones"


def _confusions(matrix: list[list[float]], names: list[Any]) -> str:
    """Name the largest entries of T off its diagonal: true → observed, with the probability."""
    pairs = [(p, i, j) for i, row in enumerate(matrix) for j, p in enumerate(row) if i != j]
    largest = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:MOST_CONFUSIONS]
    return ", ".join(f"“{names[i]}” as “{names[j]}” {text.percent(p)}" for p, i, j in largest)
