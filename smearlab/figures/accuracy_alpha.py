"""Test accuracy against the strength α, one panel per noise rate, the methods without a strength as lines."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._hover import say
from smearlab.store.tables import Tables

ORDER = 10
POINTS_AT_MOST = 1500
MOST_METHODS = 7
COLLAPSED = 0.5  # of the panel's best mean: what lies below stands at the edge, with its number


def draw(tables: Tables) -> Drawing | None:
    """Draw accuracy against α; None while no teacher is evaluated."""
    shown, total = cells.select(tables, "teacher")
    shown = [panel for panel in shown if panel.summary["mean"].notna().any()]
    if not shown:
        return None
    methods = cells.leading(pd.concat([panel.summary for panel in shown]))
    among = methods[:MOST_METHODS]
    columns = min(3, len(shown))
    with look.style():
        figure, grid = look.panels(-(-len(shown) // columns), columns, height=2.6, key=_handles(shown, among, tables))
        axes = [ax for row in grid for ax in row]
        for ax, panel in zip(axes, shown, strict=False):
            _panel(ax, panel, among, tables)
        for ax in axes[len(shown) :]:
            ax.remove()
        for row in grid:
            row[0].set_ylabel(f"{cells.accuracy_name(tables)}, %")
    caption = _caption(shown, total, tables) + cells.methods_left_out(len(among), len(methods))
    return Drawing(figure, "Accuracy against the strength of smoothing", caption, _alt(shown))


def _panel(ax: Axes, panel: cells.Panel, among: list[str], tables: Tables) -> None:
    plain = cells.plain_rows(panel.summary)
    marks = cells.family_markers(tables)
    families = [family for _, family in cells.families(panel.summary, among)]
    span = _alpha_range(panel.summary)
    for family in families:
        if family["alpha"].notna().any():
            _sweep(ax, family, plain, panel, tables)
    lines = [family.iloc[0] for family in families if family["alpha"].isna().all()]
    for i, row in enumerate(lines):
        if not row["mean"] < _floor(panel):
            _reference(ax, row, span, i, tables, marks[text.method_family(row)])
    _off_the_scale(ax, panel, pd.concat(families) if families else panel.summary, tables)
    ax.set_title(panel.title)
    ax.set_xlabel("α")
    ax.xaxis.set_major_locator(look.ticks(6))


def _floor(panel: cells.Panel) -> float:
    """Return the accuracy below which a mean is a collapse beside the panel's best."""
    return COLLAPSED * float(panel.summary["mean"].max())


def _off_the_scale(ax: Axes, panel: cells.Panel, rows: pd.DataFrame, tables: Tables) -> None:
    """End the scale above the collapsed cells, so that they do not flatten the others, and name them at the edge."""
    collapsed, kept = rows[rows["mean"] < _floor(panel)], rows[rows["mean"] >= _floor(panel)]
    if not len(collapsed) or not len(kept):  # the best may be a method that is not shown
        return
    low, high = 100 * (kept["mean"] - kept["std"].fillna(0)).min(), ax.get_ylim()[1]
    ax.set_ylim(low - 0.12 * (high - low) - 1, high)
    colours, _ = look.method_style(cells.methods(tables))
    for i, (_, row) in enumerate(collapsed.iterrows()):
        said = f"▾ {look.safe(text.method_label(row))} {text.percent(row['mean'])}"
        ax.annotate(
            said,
            (0, 0),
            (2, 3 + 9 * i),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=7,
            color=colours[row["method"]],
        )


def _alpha_range(rows: pd.DataFrame) -> tuple[float, float]:
    alphas = [0.0, *rows["alpha"].dropna()]
    return (min(alphas), max(alphas)) if max(alphas) > min(alphas) else (0.0, 1.0)


def _sweep(ax: Axes, family: pd.DataFrame, plain: pd.DataFrame, panel: cells.Panel, tables: Tables) -> None:
    """One method over its strengths: line of means, band of ± sd, a dot per replicate; at α = 0 it is plain."""
    colours, _ = look.method_style(cells.methods(tables))
    method, marker = family["method"].iloc[0], cells.family_markers(tables)[text.method_family(family.iloc[0])]
    line = pd.concat([plain.head(1).assign(alpha=0.0), family]) if (family["alpha"] != 0).all() else family
    line = line[line["mean"].notna()].sort_values("alpha", kind="stable")
    mean, sd = 100 * line["mean"], 100 * line["std"].fillna(0)
    ax.fill_between(line["alpha"], mean - sd, mean + sd, color=colours[method], alpha=0.16, linewidth=0)
    ax.plot(line["alpha"], mean, color=colours[method], marker=marker, markevery=_own(line, method))
    for _, row in line.iterrows():
        say(ax, row["alpha"], 100 * row["mean"], cells.mean_said(row))
    if len(panel.metrics) <= POINTS_AT_MOST:
        for _, row in family.iterrows():
            runs = cells.replicates(panel.metrics, row)["accuracy"]
            at = np.full(len(runs), row["alpha"])
            ax.plot(at, 100 * runs, ".", color=colours[method], alpha=0.45, markersize=3, linestyle="none")


def _own(line: pd.DataFrame, method: str) -> list[int]:
    return list(np.flatnonzero((line["method"] == method).to_numpy()))


def _reference(ax: Axes, row: pd.Series, span: tuple[float, float], place: int, tables: Tables, marker: str) -> None:
    """A method without strength: a dashed line at its mean, and mean ± sd right of the sweep."""
    if np.isnan(row["mean"]):
        return
    colours, _ = look.method_style(cells.methods(tables))
    colour, low, width = colours[row["method"]], span[0], span[1] - span[0]
    at = span[1] + width * (0.07 + 0.06 * place)
    ax.plot([low, at], [100 * row["mean"]] * 2, color=colour, linestyle=(0, (4, 3)), linewidth=1.1)
    error = None if np.isnan(row["std"]) else 100 * row["std"]
    ax.errorbar(at, 100 * row["mean"], error, color=colour, marker=marker, elinewidth=1.4)
    say(ax, at, 100 * row["mean"], cells.mean_said(row))


def _handles(shown: list[cells.Panel], among: list[str], tables: Tables) -> list[Line2D]:
    colours, _ = look.method_style(cells.methods(tables))
    marks = cells.family_markers(tables)
    rows = pd.concat([panel.summary for panel in shown])
    handles = []
    for name, family in cells.families(rows, among):
        method = family["method"].iloc[0]
        dashes: look.Dashes = (0, (4, 3)) if family["alpha"].isna().all() else "-"
        handles.append(
            Line2D([], [], color=colours[method], marker=marks[name], linestyle=dashes, label=look.safe(name))
        )
    return handles


def _caption(shown: list[cells.Panel], total: int, tables: Tables) -> str:
    rows = pd.concat([panel.summary for panel in shown])
    axes = (
        f"Across: the strength α. Up: {cells.accuracy_name(tables)}, in percent; the scale differs between panels. "
        "Line and marker: mean over replicates; band and bars: ± one standard deviation; small dots: single "
        f"replicates ({cells.n_range(rows['n_finished'])}). Dashed lines are methods without a strength; smoothing "
        "with α = 0 is cross-entropy, where its line starts."
    )
    if any((panel.summary["mean"] < _floor(panel)).any() for panel in shown):
        axes += " A mean below half of its panel's best stands as a number at the lower edge, off the scale."
    return axes + _best(shown[-1]) + cells.left_out(len(shown), total)


def _best(panel: cells.Panel) -> str:
    rows = panel.summary[panel.summary["mean"].notna()]
    smoothed = rows[(rows["method"] == cells.SMOOTHING) & (rows["alpha"] > 0)]
    plain = cells.plain_rows(rows)
    if not len(smoothed) or not len(plain):
        return ""
    best = cells.highest(smoothed, "mean")
    return (
        f" In the last panel ({panel.title}) the highest mean of the smoothings is {text.percent(best['mean'])} at "
        f"α = {text.plain(best['alpha'], 3)} (n = {best['n_finished']:.0f}), against "
        f"{text.percent(plain['mean'].iloc[0])} for cross-entropy (n = {plain['n_finished'].iloc[0]:.0f})."
    )


def _alt(shown: list[cells.Panel]) -> str:
    parts = []
    for panel in shown:
        rows = panel.summary[panel.summary["mean"].notna()]
        values = [f"{text.method_label(row)} {text.percent(row['mean'])}" for _, row in rows.head(12).iterrows()]
        parts.append(f"{panel.title}: {'; '.join(values)}")
    return "Line charts of mean accuracy against α. " + ". ".join(parts) + "."
