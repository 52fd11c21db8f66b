"""Which cells a figure shows, in which panels, under which names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.store.tables import CONDITION, DIVERGED, NamedRow, Tables

MOST_PANELS = 12
PLAIN = "cross_entropy"
SMOOTHING = "label_smoothing"

Lines = list[tuple[pd.Series, pd.DataFrame]]  # cells, each with what is drawn of it


@dataclass(frozen=True)
class Panel:
    """One data set, noise, recipe and rate: its rows of the summary and of the metrics, and its heading."""

    condition: tuple[str, str, str]
    rate: float
    title: str
    summary: pd.DataFrame
    metrics: pd.DataFrame


def finished(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks that did not diverge."""
    return metrics[metrics["status"] != DIVERGED]


def diverged(metrics: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of networks that diverged."""
    return metrics[metrics["status"] == DIVERGED]


def conditions(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return the (data set, noise, recipe) triples in order of appearance."""
    return list(dict.fromkeys(map(tuple, frame[CONDITION].itertuples(index=False, name=None))))


def rates(frame: pd.DataFrame) -> list[float]:
    """Return the noise rates, ascending; NaN (none was asked for) last."""
    return sorted(frame["noise_rate"].unique(), key=lambda r: (np.isnan(r), r))


def at_rate(frame: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Return the rows at one rate, NaN meaning those without a rate."""
    return frame[frame["noise_rate"].isna() if np.isnan(rate) else frame["noise_rate"] == rate]


def at_place(frame: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Return the rows at the condition and the rate of one row."""
    dataset, noise, recipe = (row[column] for column in CONDITION)
    return at_rate(within(frame, (dataset, noise, recipe)), row["noise_rate"])


def within(frame: pd.DataFrame, condition: tuple[str, str, str]) -> pd.DataFrame:
    """Return the rows of one condition."""
    dataset, noise, recipe = condition
    return frame[(frame["dataset"] == dataset) & (frame["noise"] == noise) & (frame["recipe"] == recipe)]


def condition_name(condition: tuple[str, str, str], all_conditions: list[tuple[str, str, str]]) -> str:
    """Return what distinguishes a condition from the others of the grid; "" where there is only one."""
    kept = [name for i, name in enumerate(condition) if len({other[i] for other in all_conditions}) > 1]
    return ", ".join(kept)


def select(tables: Tables, role: str, *, noisy_only: bool = False, most: int = MOST_PANELS) -> tuple[list[Panel], int]:
    """Return the panels to draw, at most `most`, and how many there are in all.

    Of too many rates in a condition evenly spaced ones are kept, the first and the last among them.
    """
    summary = tables.summary[tables.summary["role"] == role]
    metrics = finished(tables.metrics[tables.metrics["role"] == role])
    if noisy_only:
        summary = summary[summary["noise_rate"] != 0]
    all_conditions = conditions(tables.summary)
    groups = [(c, rates(within(summary, c))) for c in conditions(summary)]
    total = sum(len(values) for _, values in groups)
    chosen: list[Panel] = []
    for i, (condition, values) in enumerate(groups):
        room = (most - len(chosen)) // max(1, min(len(groups) - i, most))
        for rate in thin(values, max(room, 1))[: most - len(chosen)]:
            rows = at_rate(within(summary, condition), rate)
            runs = at_rate(within(metrics, condition), rate)
            name = condition_name(condition, all_conditions)
            title = f"{text.rate(rate)} noise" if rate == rate else f"noise {text.rate(rate)}"
            chosen.append(Panel(condition, rate, " · ".join(filter(None, [name, title])), rows, runs))
    return chosen, total


def thin(values: list[Any], most: int) -> list[Any]:
    """Return at most `most` of the values, evenly spaced, the last (and with two or more the first) among them."""
    if len(values) <= most:
        return values
    return [values[i] for i in np.unique(np.linspace(len(values) - 1, 0, most).round().astype(int))]


def methods_left_out(shown: int, total: int) -> str:
    """Return the sentence of a caption that says how many methods a figure leaves out."""
    return (
        f" Shown are {shown} of {total} methods, first one of each kind; all are in the tables."
        if shown < total
        else ""
    )


def left_out(shown: int, total: int) -> str:
    """Return the sentence of a caption that says how much of the grid a figure leaves out."""
    return f" Shown are {shown} of {total} panels; all numbers are in the tables." if shown < total else ""


def families(frame: pd.DataFrame, among: Iterable[str] | None = None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield (method without its α, rows ascending in α): all in the order of the table, or those named, as named."""
    names = frame.apply(text.method_family, axis=1) if len(frame) else pd.Series([], dtype=str)
    for name in dict.fromkeys(names) if among is None else among:
        if (names == name).any():
            yield name, frame[names == name].sort_values("alpha", kind="stable")


def family_markers(tables: Tables) -> dict[str, str]:
    """Return a marker for each family of the grid's teachers, the same in every figure."""
    rows = tables.summary[tables.summary["role"] == "teacher"]
    return look.family_markers([(name, family["method"].iloc[0]) for name, family in families(rows, leading(rows))])


def leading(frame: pd.DataFrame) -> list[str]:
    """Return all families: the first variant (transition, options) of each method, then the second of each, …"""
    if not len(frame):
        return []
    methods = frame["method"].groupby(frame.apply(text.method_family, axis=1), sort=False).first()
    return list(methods.groupby(methods).cumcount().sort_values(kind="stable").index)


def ends(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the weakest and the strongest cell of the leading methods, at most `most`, one row per computation.

    Of strengths of both signs only the positive ones count: a collapse at a negative one would be all there is to see.
    """
    picked = []
    for _, family in families(frame, leading(frame)[:most]):
        positive = family[family["alpha"] > 0]
        rows = positive if len(positive) else family
        picked.append(rows.iloc[sorted({0, len(rows) - 1})])
    return pd.concat(picked).drop_duplicates("cell").head(most) if picked else frame.head(0)


def dashes(cell: pd.Series, shown: Iterable[pd.Series]) -> look.Dashes:
    """Return how a cell's line is drawn: among the shown cells of its method the last is solid, the others are not."""
    same = [text.method_label(row) for row in shown if row["method"] == cell["method"]]
    return look.DASHES[(len(same) - 1 - same.index(text.method_label(cell))) % len(look.DASHES)]


def replicates(panel_metrics: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Return the replicates of one cell of the summary."""
    return panel_metrics[panel_metrics["key"] == row["key"]]


def methods(tables: Tables) -> list[str]:
    """Return all methods of the grid in order of appearance, of teachers and of students."""
    found = [*tables.summary["method"], *tables.summary["teacher_method"], *tables.metrics["method"]]
    return [method for method in dict.fromkeys(found) if method]


def highest(rows: pd.DataFrame, column: str = "difference") -> pd.Series:
    """Return the first row with the largest value of a column that has one."""
    return rows.iloc[int(rows[column].argmax())]


def compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a difference of every replicate: where some diverged, those left are a selection."""
    return rows[rows["difference"].notna() & (rows["verdict"] != DIVERGED)]


def lowest(rows: pd.DataFrame, column: str = "difference") -> pd.Series:
    """Return the first row with the smallest value of a column that has one."""
    return rows.iloc[int(rows[column].argmin())]


def furthest(rows: pd.DataFrame, column: str = "difference") -> pd.Series:
    """Return the first row whose value of a column that has one is furthest from 0."""
    return rows.iloc[int(rows[column].abs().argmax())]


def plain_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of plain cross-entropy teachers."""
    return frame[(frame["method"] == PLAIN) & (frame["role"] == "teacher")]


def n_range(n: pd.Series) -> str:
    """Return how many replicates stand behind the shown means: n = 5, or n = 2 to 5."""
    n = n[n > 0]
    if not len(n):
        return "n = 0"
    low, high = int(n.min()), int(n.max())
    return f"n = {low}" if low == high else f"n = {low} to {high}"


def accuracy_name(tables: Tables, condition: tuple[str, str, str] | None = None) -> str:
    """Return which labels the accuracy is measured against, over the grid or one condition's data set."""
    metrics = tables.metrics
    if condition is not None:
        metrics = metrics[metrics["dataset"] == condition[0]]
    metrics = finished(metrics)
    clean = metrics["test_accuracy"].notna().groupby(metrics["dataset"]).any()
    if not len(clean) or clean.all():
        return f"test {tables.measure}"
    where = "on noisy labels" if not clean.any() else "(noisy labels where no others exist)"
    return f"test {tables.measure} {where}"


def mean_said(row: NamedRow) -> str:
    """Return a cell with its mean in words: its method, mean ± deviation in percent, n."""
    is_student = row["role"] == "student"
    label = (
        f"{text.method_label(row, 'teacher_')} → {text.student_label(row)}" if is_student else text.method_label(row)
    )
    spread = "" if np.isnan(row["std"]) else f" ± {100 * row['std']:.1f}"
    return f"{label}: {100 * row['mean']:.1f}{spread} %, n = {row['n_finished']:.0f}"


def ends_beside(row: NamedRow) -> tuple[float, float]:
    """Return the interval that stands beside a row's verdict: the simultaneous one; the plain one where there is none.

    NaN where there is neither.
    """
    ends = [(row.get(f"ci_low{kind}"), row.get(f"ci_high{kind}")) for kind in ("_simultaneous", "")]
    known = [(float(low), float(high)) for low, high in ends if not (pd.isna(low) or pd.isna(high))]
    return known[0] if known else (np.nan, np.nan)
