"""Training curves: memorised wrong labels and validation accuracy over the epochs, per method."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 60
MOST_COLUMNS = 3
MOST_LINES = 7
MOST_EPOCHS = 120
QUANTITIES = {
    "memorised": "wrong labels memorised",
    "validation_accuracy_clean": "accuracy on clean validation labels",
    "validation_accuracy_noisy": "accuracy on noisy validation labels",
}
AXES = {"memorised": "memorised, %"}


def draw(tables: Tables) -> Drawing | None:
    """Draw up to two quantities over epochs, a column per rate; None where there is no history."""
    panels, total = cells.select(tables, "teacher", noisy_only=True, most=MOST_COLUMNS)
    followed = [(panel, _lines(panel, tables)) for panel in panels]
    shown = [(panel, lines) for panel, lines in followed if lines]
    history = pd.concat([rows for _, lines in shown for _, rows in lines]) if shown else pd.DataFrame()
    quantities = _known(history)
    if not quantities:
        return None
    with look.style():
        figure, grid = look.panels(
            len(quantities), len(shown), height=2.2, key=_handles(shown, tables), sharex="col", sharey="row"
        )
        for axes, quantity in zip(grid, quantities, strict=True):
            for ax, (_, lines) in zip(axes, shown, strict=True):
                for cell, rows in lines:
                    _line(ax, rows, quantity, _look(cell, lines, tables))
            axes[0].set_ylabel(AXES.get(quantity, "validation accuracy, %"))
        for ax, (panel, _) in zip(grid[0], shown, strict=True):
            ax.set_title(panel.title)
        for ax in grid[-1]:
            ax.set_xlabel("epoch")
            ax.xaxis.set_major_locator(look.ticks(7, integer=True))
    caption = _caption([panel for panel, _ in shown], history, quantities, total)
    return Drawing(figure, "What training does over time", caption, _alt(shown, quantities))


def _known(history: pd.DataFrame) -> list[str]:
    known = [q for q in QUANTITIES if len(history) and history[q].notna().any()]
    return [q for q in known if q != "validation_accuracy_noisy" or "validation_accuracy_clean" not in known]


def _lines(panel: cells.Panel, tables: Tables) -> cells.Lines:
    """The methods to follow, each with its epochs of all replicates."""
    found = [(row, tables.history_of(row["cell"])) for _, row in cells.ends(panel.summary, MOST_LINES).iterrows()]
    return [(row, rows) for row, rows in found if len(rows)]


def _look(cell: pd.Series, lines: cells.Lines, tables: Tables) -> look.LineStyle:
    colours, _ = look.method_style(cells.methods(tables))
    return {"color": colours[cell["method"]], "linestyle": cells.dashes(cell, [row for row, _ in lines])}


def _line(ax: Axes, rows: pd.DataFrame, quantity: str, how: look.LineStyle) -> None:
    groups = 100 * rows.set_index("epoch")[quantity].dropna()
    if not len(groups):
        return
    mean, sd = groups.groupby(level=0).mean(), groups.groupby(level=0).std().fillna(0)
    kept = cells.thin(list(mean.index), MOST_EPOCHS)
    mean, sd = mean.loc[kept], sd.loc[kept]
    ax.fill_between(mean.index, mean - sd, mean + sd, color=how["color"], alpha=0.13, linewidth=0)
    ax.plot(mean.index, mean, **how)


def _handles(shown: list[tuple[cells.Panel, cells.Lines]], tables: Tables) -> list[Line2D]:
    handles = {}
    for _, lines in shown:
        for cell, _ in lines:
            label = text.method_label(cell)
            handles[label] = Line2D([], [], label=look.safe(label), **_look(cell, lines, tables))
    return list(handles.values())


def _caption(panels: list[cells.Panel], history: pd.DataFrame, quantities: list[str], total: int) -> str:
    n = history.groupby(["cell", "noise_seed", "seed"]).size().groupby(level="cell").size()
    named = text.listing([QUANTITIES[q] for q in quantities])
    return (
        f"Across: epochs. Up: {named}, in percent, on the examples that are looked at after each epoch. Line: mean "
        f"over replicates ({cells.n_range(n)}), band: ± one standard deviation; of a method with strengths the weakest "
        "(dashed) and the strongest. Where a line of the upper row rises while the lower row falls, training "
        "learns wrong labels at the expense of the right ones. The test set has no part in this figure."
        if len(quantities) > 1
        else f"Across: epochs. Up: {named}, in percent. Line: mean over replicates ({cells.n_range(n)}), band: ± one "
        "standard deviation; of a method with strengths the weakest (dashed) and the strongest. The test set has no "
        "part in this figure."
    ) + cells.left_out(len(panels), total)


def _alt(shown: list[tuple[cells.Panel, cells.Lines]], quantities: list[str]) -> str:
    parts = []
    for panel, lines in shown:
        for quantity in quantities:
            ends = [f"{text.method_label(cell)} {_end(rows, quantity)}" for cell, rows in lines]
            parts.append(f"{panel.title}, {QUANTITIES[quantity]}, at the end: {'; '.join(ends)}")
    return "Curves over epochs. " + ". ".join(parts) + "."


def _end(rows: pd.DataFrame, quantity: str) -> str:
    last = rows[rows["epoch"] == rows["epoch"].max()][quantity].mean()
    return text.percent(float(last) if last is not None else np.nan)
