"""The tables of one grid, as read from its folder under results/, in one regular form."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.errors import UserError
from smearlab.files import read_json

CONDITION = ["dataset", "noise", "recipe"]
TEXT_KEYS = [
    *CONDITION,
    "role",
    "method",
    "transition",
    "options",
    "teacher_method",
    "teacher_transition",
    "teacher_options",
    "teacher_recipe",
    "student_labels",
    "view",
]
NUMBER_KEYS = [
    "noise_rate",
    "alpha",
    "warm_up",
    "teacher_alpha",
    "teacher_warm_up",
    "temperature",
    "student_temperature",
    "beta",
]
CELL = [*TEXT_KEYS, *NUMBER_KEYS]
METRIC_NUMBERS = [
    "noise_seed",
    "seed",
    "realised_noise_rate",
    "test_accuracy",
    "test_accuracy_last",
    "test_accuracy_selected",
    "test_accuracy_noisy",
    "test_nll",
    "test_brier",
    "test_ece",
    "train_accuracy_noisy",
    "memorised",
    "recovered",
    "best_on_test_accuracy",
    "epochs",
    "train_seconds",
    "images_per_second",
]
SUMMARY_NUMBERS = [
    "n",
    "n_diverged",
    "mean",
    "std",
    "baseline",
    "difference",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "margin",
]
HISTORY_NUMBERS = [
    "noise_seed",
    "seed",
    "epoch",
    "loss",
    "memorised",
    "recovered",
    "train_accuracy_noisy",
    "validation_accuracy_noisy",
    "validation_accuracy_clean",
]
POINT_FIELDS = [
    "low",
    "high",
    "right",
    "wrong",
    "confidence",
    "accuracy",
    "count",
    "test",
    "train_right",
    "train_wrong",
]


@dataclass(frozen=True)
class Tables:
    """All that figures and report read: a row per replicate, per cell, per epoch, per curve point.

    In every frame texts that do not apply are "" and numbers that do not apply are NaN. `metrics` also has
    `accuracy`: the test accuracy, or the accuracy on noisy test labels for data sets without clean ones;
    `key` in metrics and summary is equal in rows of the same cell.
    `curves` has the cell's columns, `noise_seed`, `seed`, `curve` (its name) and the fields of the curve's points
    (such as `confidence accuracy count` of `reliability`, `low high right wrong` of `margins`).
    """

    metrics: pd.DataFrame
    summary: pd.DataFrame
    history: pd.DataFrame
    curves: pd.DataFrame
    config: dict[str, Any]
    context: dict[str, Any]


def read_tables(folder: str | Path) -> Tables:
    """Read metrics.parquet, summary.csv, history.parquet, curves.parquet and context.json of one grid.

    History and curves may be absent (a grid that is not far yet). Raises UserError for a folder without tables.
    """
    folder = Path(folder)
    for name in ("metrics.parquet", "summary.csv", "context.json"):
        if not (folder / name).is_file():
            raise UserError(f"{folder / name} is not there: run the grid, or `make report`, first")
    context = read_json(folder / "context.json")
    return make_tables(
        metrics=pd.read_parquet(folder / "metrics.parquet"),
        summary=pd.read_csv(folder / "summary.csv", keep_default_na=False, na_values=[""]),
        history=_optional_parquet(folder / "history.parquet"),
        curves=_optional_parquet(folder / "curves.parquet"),
        context=context,
    )


def make_tables(
    *,
    metrics: pd.DataFrame,
    summary: pd.DataFrame,
    history: pd.DataFrame,
    curves: pd.DataFrame,
    context: dict[str, Any],
) -> Tables:
    """Bring the four frames into the regular form and join them with the grid's context."""
    metrics = regular(metrics, METRIC_NUMBERS, ["status", "reason", "device", "precision", "cell"])
    summary = regular(summary, SUMMARY_NUMBERS, ["verdict"])
    return Tables(
        metrics=metrics.assign(accuracy=_accuracy(metrics), key=cell_keys(metrics)),
        summary=summary.assign(key=cell_keys(summary)),
        history=regular(history, HISTORY_NUMBERS, []),
        curves=regular(curves, ["noise_seed", "seed", *POINT_FIELDS], ["curve"]),
        config=context.get("config", {}),
        context=context,
    )


def regular(frame: pd.DataFrame, numbers: Iterable[str], texts: Iterable[str]) -> pd.DataFrame:
    """Return the frame with all expected columns: texts without nulls, numbers as float64 with NaN."""
    frame = frame.copy()
    for column in [*TEXT_KEYS, *texts]:
        values = frame[column] if column in frame else pd.Series("", index=frame.index)
        frame[column] = values.astype(object).where(values.notna(), "").astype(str)
    for column in [*NUMBER_KEYS, *numbers]:
        values = frame[column] if column in frame else pd.Series(np.nan, index=frame.index)
        frame[column] = pd.to_numeric(values, errors="coerce").astype(float)
    return frame.reset_index(drop=True)


def cell_keys(frame: pd.DataFrame) -> pd.Series:
    """Return one text per row that names its cell: rows of different tables with equal texts belong together."""
    parts = [frame[column].map(str) for column in CELL]
    return parts[0].str.cat(parts[1:], sep="\x1f") if len(frame) else pd.Series([], dtype=str)


def _optional_parquet(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()


def _accuracy(metrics: pd.DataFrame) -> pd.Series:
    clean_known = metrics["test_accuracy"].notna().groupby(metrics["dataset"]).transform("any")
    return metrics["test_accuracy"].where(clean_known, metrics["test_accuracy_noisy"])
