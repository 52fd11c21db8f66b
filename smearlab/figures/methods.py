"""All methods side by side: the paired difference to cross-entropy with its interval."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._hover import say
from smearlab.statistics.given_labels import AGREEMENT, CANNOT
from smearlab.statistics.verdict import DECIDED
from smearlab.store.tables import Tables

ORDER = 30
MOST_PANELS = 6
MOST_ROWS = 48


def draw(tables: Tables) -> Drawing | None:
    """Draw differences with 95 % intervals; None while no difference is known."""
    shown, total = cells.select(tables, "teacher", most=MOST_PANELS)
    shown = [panel for panel in shown if len(_compared(panel.summary))]
    if not shown:
        return None
    columns = min(3, len(shown))
    rows = [shown[i : i + columns] for i in range(0, len(shown), columns)]
    labels = _labels(shown)
    with look.style():
        figure, grid = look.panels(len(rows), columns, height=0.8 + 0.21 * len(labels), sharey=True)
        for axes, panels in zip(grid, rows, strict=True):
            for i, ax in enumerate(axes):
                if i < len(panels):
                    _panel(ax, panels[i], labels, tables)
                else:
                    ax.remove()
    return Drawing(figure, "Methods side by side", _caption(shown, total, tables), _alt(shown))


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["difference"].notna() & (rows["method"] != cells.PLAIN)]


def _labels(shown: list[cells.Panel]) -> list[str]:
    rows = pd.concat([_compared(panel.summary) for panel in shown])
    return cells.thin(list(dict.fromkeys(rows.apply(text.method_label, axis=1))), MOST_ROWS)


def _panel(ax: Axes, panel: cells.Panel, labels: list[str], tables: Tables) -> None:
    colours, marks = look.method_colours(cells.methods(tables)), cells.family_markers(tables)
    margin = panel.summary["margin"].dropna()
    if len(margin):
        ax.axvspan(-margin.iloc[0], margin.iloc[0], color=look.colour("band"), linewidth=0, zorder=0)
    ax.axvline(0, color=look.colour("m-plain"), linewidth=1)
    rows = _compared(panel.summary)
    edge = _edge(rows)
    for _, row in rows.iterrows():
        label = text.method_label(row)
        if label in labels:
            _row(ax, row, labels.index(label), colours[row["method"]], marks[text.method_family(row)], edge)
    ax.set_xlim(left=max(edge, ax.get_xlim()[0]))
    ax.set_yticks(range(len(labels)), [look.safe(label) for label in labels])
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    ax.spines["left"].set_visible(False)
    ax.set_title(panel.title.replace(" · ", "\n"))  # beside long names of methods there is no room for it in one line
    ax.set_xlabel("points")


def _edge(rows: pd.DataFrame) -> float:
    """Return where the scale ends on the left: a collapse must not hide what the others gain."""
    return -2 * max(10.0, 100 * float(rows["difference"].max()))


def _row(ax: Axes, row: pd.Series, place: int, colour: str, marker: str, edge: float) -> None:
    decided = row["verdict"] in DECIDED
    if 100 * row["difference"] < edge:
        ax.annotate(
            f"◂ {text.points(row['difference'])}",
            (0, place),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=colour,
        )
        return
    low, high = cells.ends_beside(row)
    if not np.isnan(low):
        ax.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=1.8)
    face = colour if decided else look.colour("paper")
    ax.plot(100 * row["difference"], place, marker, color=colour, markerfacecolor=face, markersize=5.5)
    found = f"{text.points(row['difference'])} ({text.interval(low, high)}), {row['verdict']}"
    say(ax, 100 * row["difference"], place, f"{text.method_label(row)}: {found}, n = {row['n_paired']:.0f}")


def _caption(shown: list[cells.Panel], total: int, tables: Tables) -> str:
    rows = pd.concat([_compared(panel.summary) for panel in shown])
    verdicts = rows["verdict"].value_counts()
    said = text.listing([f"{verdicts[v]} {v}" for v in verdicts.index if v])
    given = f" On the labels given nothing is decided: {CANNOT}." if set(AGREEMENT) & set(rows["verdict"]) else ""
    return (
        f"Across: mean paired difference in {cells.accuracy_name(tables)} to cross-entropy, in points, with its 95 % t "
        f"interval, which holds for all tests of its family together ({cells.n_range(rows['n_paired'])} pairs). "
        f"Shaded: ± {text.plain(rows['margin'].max())} points, the margin of the config. A hollow "
        "marker stands for a comparison that is not decided, a number beside an arrow for a loss "
        f"beyond the scale. Findings here: {said}.{given}" + cells.left_out(len(shown), total)
    )


def _alt(shown: list[cells.Panel]) -> str:
    parts = []
    for panel in shown:
        rows = _compared(panel.summary).head(15)
        values = [
            f"{text.method_label(r)} {text.points(r['difference'])} ({text.interval(*cells.ends_beside(r))})"
            for _, r in rows.iterrows()
        ]
        parts.append(f"{panel.title}: {'; '.join(values)}")
    return "Differences to cross-entropy with intervals, in points. " + ". ".join(parts) + "."
