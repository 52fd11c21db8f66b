"""What the sentences need beside the summary: kinds of noise, known labels, the headline contrast of the config."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from smearlab.store.tables import FINISHED, Tables


@dataclass(frozen=True)
class Facts:
    """Facts of one grid; `margin` is the smallest difference of interest in points of accuracy.

    kinds: the kind of each noise. clean: whether true test labels are known of each data set with a finished
    network. n_test: the size of each test set that is known. primary: the headline contrast that the config names.
    name: the grid's. spreads: by computation, where no true test label is known, the most that its difference to
    its baseline can vary over examples. n_gold: of data sets of which only some test examples have a known true
    label, how many. measure: what everything is judged by, in words.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    clean: dict[str, bool] = field(default_factory=dict)
    n_test: dict[str, int] = field(default_factory=dict)
    primary: dict[str, Any] | None = None
    margin: float = 0.5
    name: str = ""
    spreads: dict[str, float] = field(default_factory=dict)
    n_gold: dict[str, int] = field(default_factory=dict)
    measure: str = "accuracy"


def facts(tables: Tables) -> Facts:
    """Collect the facts of a grid from its config, context and metrics."""
    noises = tables.config.get("noises", {})
    finished = tables.metrics[tables.metrics["status"] == FINISHED]  # a diverged network has no accuracy on any labels
    known = finished["test_accuracy"].notna().groupby(finished["dataset"]).any()
    return Facts(
        kinds={name: noise.get("kind", name) for name, noise in noises.items()},
        clean={str(dataset): bool(value) for dataset, value in known.items()},
        n_test={name: d["n_test"] for name, d in tables.context.get("datasets", {}).items() if d.get("n_test")},
        primary=tables.config.get("primary"),
        margin=float(tables.config.get("margin", 0.5)),
        name=str(tables.context.get("name", "")),
        n_gold=_gold(tables.summary),
        spreads={entry["cell"]: float(entry["spread"]) for entry in tables.context.get("disagreement", [])},
        measure=tables.measure,
    )


def _gold(summary: pd.DataFrame) -> dict[str, int]:
    known = summary[summary["n_gold"].notna()] if "n_gold" in summary else summary.head(0)
    return {str(name): int(n) for name, n in known.groupby("dataset")["n_gold"].max().items()}


def quantity(rows: pd.DataFrame, known: Facts) -> str:
    """Return what the accuracies of these rows are measured against."""
    clean = {known.clean.get(dataset, True) for dataset in rows["dataset"].unique()}
    return f"test {known.measure}" if clean in ({True}, set()) else f"{known.measure} on noisy test labels"
