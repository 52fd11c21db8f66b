"""Difference to cross-entropy over strength α and noise rate, as a map."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import BoundaryNorm, ListedColormap

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.statistics.given_labels import is_agreement
from smearlab.statistics.verdict import HELPS, HURTS
from smearlab.store.tables import Tables

ORDER = 20
MOST_MAPS = 6
MOST_ROWS = 24
STRONG = 7 / 11  # the two outermost of eleven shades on either side
NICE = (0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)


def draw(tables: Tables) -> Drawing | None:
    """Draw a map of rates × methods per condition; None while no difference on true test labels is known."""
    rows = tables.summary[(tables.summary["role"] == "teacher") & tables.summary["difference"].notna()]
    rows = rows[(rows["method"] != cells.PLAIN) & ~rows["measure"].map(is_agreement).astype(bool)]
    if not len(rows):
        return None
    shown = [(c, cells.within(rows, c)) for c in cells.conditions(rows)]
    drawn = shown[:MOST_MAPS]
    limit = _limit(rows["difference"])
    with look.style():
        heights = [0.62 + 0.27 * len(_labels(frame)) for _, frame in drawn]
        figure, grid = look.panels(len(drawn), 1, height=float(np.mean(heights)), ratios=heights)
        for (condition, frame), (ax,) in zip(drawn, grid, strict=True):
            image = _map(ax, frame, limit)
            ax.set_title(cells.condition_name(condition, cells.conditions(tables.summary)))
        bar = figure.colorbar(image, ax=[row[0] for row in grid], shrink=0.9, aspect=28, pad=0.02)
        bar.set_label("points")
        marks = edges(limit)[[0, 2, 4, 7, 9, 11]].tolist()
        bar.set_ticks(marks, labels=[text.plain(mark, 0 if limit >= 20 else 1 if limit >= 2 else 2) for mark in marks])
        bar.ax.tick_params(length=0)
        bar.outline.set_visible(False)
    return Drawing(figure, "Where it helps: strength × noise rate", _caption(rows, len(drawn), len(shown)), _alt(rows))


def _limit(differences: pd.Series) -> float:
    largest = float(differences.abs().max()) * 100
    return next((step for step in NICE if step >= largest), 100.0)


def edges(limit: float) -> np.ndarray:
    """Return the differences at which the shade changes: finer towards zero, so that one collapse hides no gain."""
    even = np.linspace(-1, 1, len(look.DIVERGING) + 1)
    return limit * np.sign(even) * even**2


def _labels(frame: pd.DataFrame) -> list[str]:
    """The methods with their strengths, in the order of the table; of too many rows those of the leading methods."""
    of = {name: list(dict.fromkeys(rows.apply(text.method_label, axis=1))) for name, rows in cells.families(frame)}
    shown, room = set(), MOST_ROWS
    for name in cells.leading(frame):
        if len(of[name]) <= room:
            shown.add(name)
            room -= len(of[name])
    return [label for name, labels in of.items() if name in shown for label in labels]


def _map(ax: Axes, frame: pd.DataFrame, limit: float) -> QuadMesh:
    labels = _labels(frame)
    rates = cells.rates(frame)
    names = frame.apply(text.method_label, axis=1)
    values = np.full((len(labels), len(rates)), np.nan)
    for i, label in enumerate(labels):
        for j, rate in enumerate(rates):
            found = cells.at_rate(frame[names == label], rate)["difference"]
            values[i, j] = 100 * found.iloc[0] if len(found) else np.nan
    shades = ListedColormap([look.colour(name) for name in look.DIVERGING])
    norm = BoundaryNorm(edges(limit), shades.N)
    image = ax.pcolormesh(values, cmap=shades, norm=norm, edgecolors=look.colour("paper"))
    _numbers(ax, values, limit, frame, names, labels, rates)
    ax.set_xticks(np.arange(len(rates)) + 0.5, [text.rate(rate) for rate in rates])
    ax.set_yticks(np.arange(len(labels)) + 0.5, [look.safe(label) for label in labels])
    ax.set_xlabel("noise rate")
    ax.invert_yaxis()
    ax.grid(False)
    ax.tick_params(length=0)
    for side in ax.spines.values():
        side.set_visible(False)
    return image


def _numbers(
    ax: Axes,
    values: np.ndarray,
    limit: float,
    frame: pd.DataFrame,
    names: pd.Series,
    labels: list[str],
    rates: list[float],
) -> None:
    """Write each difference into its field, with a star where the verdict is helps or hurts."""
    if values.size > 240:
        return
    for i, j in np.argwhere(~np.isnan(values)):
        verdict = cells.at_rate(frame[names == labels[i]], rates[j])["verdict"].iloc[0]
        star = " *" if verdict in (HELPS, HURTS) else ""
        strong = abs(values[i, j]) > STRONG**2 * limit  # shades go with the root
        ink = look.colour("paper") if strong else look.colour("ink")
        label = text.points(values[i, j] / 100) + star
        ax.text(j + 0.5, i + 0.5, label, ha="center", va="center", fontsize=8, color=ink)


def _caption(rows: pd.DataFrame, drawn: int, total: int) -> str:
    more = f" Shown are {drawn} of {total} conditions; all numbers are in the tables." if drawn < total else ""
    here, every = len(_labels(rows)), rows.apply(text.method_label, axis=1).nunique()
    more += f" {every - here} more rows are in the tables." if here < every else ""
    return (
        "Across: noise rate. Down: method and strength α. Number and shade: mean difference in test accuracy to "
        f"cross-entropy on the same labels, in points ({cells.n_range(rows['n_paired'])} pairs); blue is better, "
        f"orange worse, in steps that grow away from zero; a star marks helps and hurts.{_extremes(rows)}{more}"
    )


def _extremes(rows: pd.DataFrame) -> str:
    best, worst = cells.highest(rows), cells.lowest(rows)
    gain = f"The largest gain is {_named(best)}" if best["difference"] > 0 else "No mean lies above cross-entropy's"
    loss = f"the largest loss is {_named(worst)}" if worst["difference"] < 0 else "none lies below"
    return f" {gain}; {loss}."


def _named(row: pd.Series) -> str:
    where = f"{text.method_label(row)} at {text.rate(row['noise_rate'])} noise"
    return f"{text.points(row['difference'])} points ({where}, {row['verdict']}, n = {row['n_paired']:.0f} pairs)"


def _alt(rows: pd.DataFrame) -> str:
    values = [
        f"{text.method_label(row)} at {text.rate(row['noise_rate'])}: {text.points(row['difference'])}"
        for _, row in rows.head(40).iterrows()
    ]
    return "Map of differences to cross-entropy in points. " + "; ".join(values) + "."
