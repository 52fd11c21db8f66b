"""Memorised against recovered: what networks predict on training examples with a wrong label."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._hover import say
from smearlab.store.tables import Tables

ORDER = 50
MOST_PANELS = 6
MOST_METHODS = 10
POINTS_AT_MOST = 1500


def draw(tables: Tables) -> Drawing | None:
    """Draw recovered against memorised, teachers only; None where no label is known to be wrong."""
    shown, total = cells.select(tables, "teacher", noisy_only=True, most=MOST_PANELS)
    shown = [panel for panel in shown if panel.metrics["memorised"].notna().any()]
    if not shown:
        return None
    methods = cells.leading(pd.concat([means(panel) for panel in shown]))
    among = methods[:MOST_METHODS]
    columns = min(3, len(shown))
    with look.style():
        height = 3.0 if columns > 1 else 3.4
        figure, grid = look.panels(
            -(-len(shown) // columns), columns, height=height, key=_handles(shown, among, tables)
        )
        axes = [ax for line in grid for ax in line]
        for ax, panel in zip(axes, shown, strict=False):
            _panel(ax, panel, among, tables)
        for ax in axes[len(shown) :]:
            ax.remove()
    caption = _caption(shown, total) + cells.methods_left_out(len(among), len(methods))
    return Drawing(figure, "Memorised against recovered", caption, _alt(shown))


def means(panel: cells.Panel) -> pd.DataFrame:
    """Return the summary's rows with the means of memorised and recovered over replicates, and their n."""
    groups = panel.metrics[panel.metrics["memorised"].notna()].groupby("key")[["memorised", "recovered"]]
    found = groups.mean().join(groups.size().rename("n_memorised"))
    return panel.summary.drop(columns=["memorised", "recovered"], errors="ignore").merge(
        found, left_on="key", right_index=True, how="inner"
    )


def _panel(ax: Axes, panel: cells.Panel, among: list[str], tables: Tables) -> None:
    colours, marks = look.method_colours(cells.methods(tables)), cells.family_markers(tables)
    for name, family in cells.families(means(panel), among):
        colour, marker = colours[family["method"].iloc[0]], marks[name]
        if len(panel.metrics) <= POINTS_AT_MOST:
            runs = panel.metrics[panel.metrics["key"].isin(family["key"])]
            ax.plot(100 * runs["memorised"], 100 * runs["recovered"], ".", color=colour, alpha=0.35, markersize=3)
        x, y = 100 * family["memorised"], 100 * family["recovered"]
        ax.plot(x, y, color=colour, marker=marker, linewidth=1, markersize=5.5)
        for _, row in family.iterrows():
            shares = f"memorised {text.percent(row['memorised'])}, recovered {text.percent(row['recovered'])}"
            said = f"{text.method_label(row)}: {shares}, n = {row['n_memorised']:.0f}"
            say(ax, 100 * row["memorised"], 100 * row["recovered"], said)
        if family["alpha"].notna().any():
            _name_ends(ax, family)
    ax.set_title(panel.title)
    ax.set_xlabel("memorised, % of wrong labels")
    ax.set_ylabel("recovered, % of wrong labels")
    ax.margins(0.12)
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())  # the diagonal below must not widen them
    ax.axline((0, 100), (100, 0), color=look.colour("faint"), linewidth=1, linestyle=(0, (3, 3)))


def _name_ends(ax: Axes, family: pd.DataFrame) -> None:
    for _, row in family.iloc[[0, -1]].drop_duplicates("alpha").iterrows():
        place = (100 * row["memorised"], 100 * row["recovered"])
        label = f"α = {text.plain(row['alpha'], 3)}"
        ax.annotate(label, place, (5, 4), textcoords="offset points", fontsize=7.5, color=look.colour("muted"))


def _handles(shown: list[cells.Panel], among: list[str], tables: Tables) -> list[Line2D]:
    colours, marks = look.method_colours(cells.methods(tables)), cells.family_markers(tables)
    rows = pd.concat([means(panel) for panel in shown])
    return [
        Line2D([], [], color=colours[m], marker=marks[name], linewidth=1, label=look.safe(name))
        for name, family in cells.families(rows, among)
        for m in family["method"].head(1)
    ]


def _caption(shown: list[cells.Panel], total: int) -> str:
    rows = pd.concat([means(panel) for panel in shown])
    said = (
        "Of the training examples with a wrong label, across: the share on which the network predicts that wrong "
        "label; up: the share on which it predicts the true one. Large markers are means "
        f"({cells.n_range(rows['n_memorised'])}), small dots replicates; the scales differ between panels. On the "
        "dashed line the two shares fill 100 %. Up and left is better."
    )
    return said + _contrast(shown[-1]) + cells.left_out(len(shown), total)


def _contrast(panel: cells.Panel) -> str:
    rows = means(panel)
    plain, smoothed = cells.plain_rows(rows), rows[(rows["method"] == cells.SMOOTHING) & (rows["alpha"] > 0)]
    if not len(plain) or not len(smoothed):
        return ""
    strongest = smoothed.sort_values("alpha").iloc[-1]
    return (
        f" In the last panel ({panel.title}) cross-entropy memorises {text.percent(plain['memorised'].iloc[0])} of the "
        f"wrong labels (n = {plain['n_memorised'].iloc[0]}), {text.method_label(strongest)} "
        f"{text.percent(strongest['memorised'])} (n = {strongest['n_memorised']})."
    )


def _alt(shown: list[cells.Panel]) -> str:
    parts = []
    for panel in shown:
        values = [
            f"{text.method_label(row)} memorised {text.percent(row['memorised'])}, "
            f"recovered {text.percent(row['recovered'])}"
            for _, row in means(panel).head(12).iterrows()
        ]
        parts.append(f"{panel.title}: {'; '.join(values)}")
    return "Scatter plots of recovered against memorised. " + ". ".join(parts) + "."
