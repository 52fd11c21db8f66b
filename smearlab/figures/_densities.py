"""Densities of the examples of several groups, a panel per method."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.store.tables import Tables

MOST_COLUMNS = 4
MOST_METHODS = 8


def highest_rate(tables: Tables, curve: str, groups: Mapping[str, str]) -> tuple[cells.Panel | None, cells.Lines]:
    """Return the last noisy panel that has the curve, with (cell, its densities averaged over replicates).

    A cell whose groups are all unknown, as right and wrong are without true labels, has none.
    """
    for panel in reversed(cells.select(tables, "teacher", noisy_only=True, most=3)[0]):
        rows = cells.ends(panel.summary, MOST_METHODS)
        found = [(row, tables.curve(curve, row["cell"])) for _, row in rows.iterrows()]
        means = [(row, _mean(points, groups)) for row, points in found if len(points)]
        lines = [(row, densities) for row, densities in means if densities[list(groups)].notna().any(axis=None)]
        if lines:
            return panel, lines
    return None, []


def _mean(points: pd.DataFrame, groups: Mapping[str, str]) -> pd.DataFrame:
    return points.groupby(["low", "high"])[list(groups)].mean().reset_index()


def draw(
    lines: cells.Lines, groups: Mapping[str, str], names: Mapping[str, str], across: str, scale: float = 1
) -> Figure:
    """Draw one panel per method. groups: column of the densities to colour; names: column to its legend.

    A group that is unknown in every panel has no place in the legend.
    """
    groups = {group: token for group, token in groups.items() if any(found[group].notna().any() for _, found in lines)}
    columns = min(MOST_COLUMNS, len(lines))
    handles = [Line2D([], [], color=look.colour(token), label=names[group]) for group, token in groups.items()]
    figure, grid = look.panels(-(-len(lines) // columns), columns, height=1.9, key=handles, sharex=True)
    axes = [ax for line in grid for ax in line]
    for ax, (cell, densities) in zip(axes, lines, strict=False):
        _panel(ax, cell, densities, groups, scale)
        ax.set_xlabel(across)
    for ax in axes[len(lines) :]:
        ax.remove()
    for row in grid:
        row[0].set_ylabel("density")
    return figure


def _panel(ax: Axes, cell: pd.Series, densities: pd.DataFrame, groups: Mapping[str, str], scale: float) -> None:
    edges = scale * np.append(densities["low"], densities["high"].iloc[-1])
    for group, token in groups.items():
        if densities[group].notna().any():
            values = densities[group].fillna(0) / scale
            ax.stairs(values, edges, fill=True, color=look.colour(token), alpha=0.22, linewidth=0)
            ax.stairs(values, edges, color=look.colour(token), linewidth=1.3, baseline=None)
    ax.set_title(look.safe(look.wrapped(text.method_label(cell))), fontsize=9)
