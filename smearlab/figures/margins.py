"""Margins of right and of wrong training labels: the density picture of Lukasik et al. 2020."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.report import format as text
from smearlab.tables import Tables

ORDER = 80
MOST_COLUMNS = 4
GROUPS = {"right": "muted", "wrong": "m-pink"}


def draw(tables: Tables) -> Drawing | None:
    """Draw margin densities at the highest rate, a panel per method; None without such curves."""
    panels = [p for p in cells.select(tables, "teacher", noisy_only=True, most=3)[0] if len(_lines(p, tables))]
    if not panels:
        return None
    panel = panels[-1]
    lines = _lines(panel, tables)
    columns = min(MOST_COLUMNS, len(lines))
    with look.style():
        rows = -(-len(lines) // columns)
        figure, grid = look.panels(rows, columns, height=1.9, key=_handles(), sharex=True)
        axes = [ax for line in grid for ax in line]
        low, high = _span([densities for _, densities in lines])
        for ax, (cell, densities) in zip(axes, lines, strict=False):
            _panel(ax, cell, densities)
            ax.set_xlim(low, high)
            ax.set_xlabel("margin")
        for ax in axes[len(lines) :]:
            ax.remove()
        for row in grid:
            row[0].set_ylabel("density")
    return Drawing(figure, "Margins of right and wrong labels", _caption(panel, lines), _alt(panel, lines))


def _lines(panel: cells.Panel, tables: Tables) -> list[tuple[pd.Series, pd.DataFrame]]:
    picked = [family.iloc[sorted({0, len(family) - 1})] for _, family in cells.families(panel.summary)]
    rows = pd.concat(picked).drop_duplicates("cell").head(2 * MOST_COLUMNS) if picked else panel.summary.head(0)
    found = [(row, tables.curve("margins", row["cell"])) for _, row in rows.iterrows()]
    return [(row, _mean(points)) for row, points in found if len(points)]


def _mean(points: pd.DataFrame) -> pd.DataFrame:
    return points.groupby(["low", "high"])[list(GROUPS)].mean().reset_index()


def _span(all_densities: list[pd.DataFrame]) -> tuple[float, float]:
    """The margins that hold the middle 97 % of all panels' mass; the caption says that the tails are cut."""
    seen = pd.concat(all_densities)
    mass = (seen[list(GROUPS)].sum(axis=1) * (seen["high"] - seen["low"])).groupby([seen["low"], seen["high"]]).sum()
    share = mass.cumsum() / mass.sum()
    kept = mass[(share > 0.02) & (share <= 0.99)].reset_index()
    return (float(kept["low"].min()), float(kept["high"].max())) if len(kept) > 1 else (-10.0, 10.0)


def _panel(ax: Axes, cell: pd.Series, densities: pd.DataFrame) -> None:
    edges = np.append(densities["low"], densities["high"].iloc[-1])
    for group, token in GROUPS.items():
        if densities[group].notna().any():
            values = densities[group].fillna(0)
            ax.stairs(values, edges, fill=True, color=look.colour(token), alpha=0.22, linewidth=0)
            ax.stairs(values, edges, color=look.colour(token), linewidth=1.3, baseline=None)
    ax.axvline(0, color=look.colour("faint"), linewidth=1)
    ax.set_title(look.safe(text.method_label(cell)), fontsize=9)


def _handles() -> list[Line2D]:
    return [Line2D([], [], color=look.colour(t), label=f"observed label is {g}") for g, t in GROUPS.items()]


def _caption(panel: cells.Panel, lines: list[tuple[pd.Series, pd.DataFrame]]) -> str:
    n = pd.Series([row["n_finished"] for row, _ in lines])
    return (
        f"Training examples at {panel.title}. Across: margin of the observed label (its logit minus the largest "
        "other), far tails cut; up: density on a scale of each panel, averaged over replicates "
        f"({cells.n_range(n)}). Mass of the wrong labels right of zero is memorised. Of a method with strengths the "
        "weakest and the strongest are shown."
    ) + _wrong_mass(lines)


def _wrong_mass(lines: list[tuple[pd.Series, pd.DataFrame]]) -> str:
    shares = [(row, s) for row, d in lines if (s := positive_share(d)) is not None]
    if not shares:
        return ""
    said = [f"{text.method_label(row)} {text.percent(share, 0)}" for row, share in shares]
    return f" Wrong labels with a margin above zero: {text.listing(said)}."


def positive_share(densities: pd.DataFrame) -> float | None:
    """Return the share of the wrong labels' mass above zero, None where there are none."""
    mass = densities["wrong"] * (densities["high"] - densities["low"])
    total = mass.sum()
    return float(mass[densities["low"] >= -1e-9].sum() / total) if total > 0 else None


def _alt(panel: cells.Panel, lines: list[tuple[pd.Series, pd.DataFrame]]) -> str:
    return f"Densities of the margin at {panel.title} for right and wrong labels." + _wrong_mass(lines)
