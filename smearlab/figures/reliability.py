"""Reliability: how often predictions of a given confidence are right, before and after temperature scaling."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 70
MOST_PANELS = 3
MOST_LINES = 6
SCALED = "after temperature scaling"


def draw(tables: Tables) -> Drawing | None:
    """Draw accuracy against confidence, pooled over replicates; None without such curves."""
    panels, total = cells.select(tables, "teacher", most=MOST_PANELS)
    shown = [(panel, lines) for panel in panels if (lines := _lines(panel, tables, "reliability"))]
    if not shown:
        return None
    scaled = [(panel, _lines(panel, tables, "reliability_scaled")) for panel, _ in shown]
    rows = {"": shown} | ({SCALED: scaled} if any(lines for _, lines in scaled) else {})
    with look.style():
        key = _handles(shown, tables)
        figure, grid = look.panels(len(rows), len(shown), height=2.8, key=key, sharex=True, sharey=True)
        for line, (when, found) in zip(grid, rows.items(), strict=True):
            for ax, (panel, lines) in zip(line, found, strict=True):
                _panel(ax, lines, tables)
                ax.set_title(when or panel.title)
            line[0].set_ylabel("accuracy, %")
        for ax in grid[-1]:
            ax.set_xlabel("confidence, %")
    return Drawing(figure, "Reliability: is its confidence deserved?", _caption(shown, total), _alt(shown))


def _lines(panel: cells.Panel, tables: Tables, curve: str) -> cells.Lines:
    found = [(row, tables.curve(curve, row["cell"])) for _, row in cells.ends(panel.summary, MOST_LINES).iterrows()]
    return [(row, _pooled(rows)) for row, rows in found if len(rows)]


def _pooled(rows: pd.DataFrame) -> pd.DataFrame:
    """Bins over all replicates: confidence and accuracy weighted by the number of examples."""
    bins = (rows["confidence"] * 15).clip(upper=14.999).astype(int)
    weighted = rows.assign(confidence=rows["confidence"] * rows["count"], accuracy=rows["accuracy"] * rows["count"])
    sums = weighted.groupby(bins)[["confidence", "accuracy", "count"]].sum()
    return sums[["confidence", "accuracy"]].div(sums["count"], axis=0)


def _look(cell: pd.Series, lines: cells.Lines, tables: Tables) -> look.LineStyle:
    colours, marks = look.method_colours(cells.methods(tables)), cells.family_markers(tables)
    dashes = cells.dashes(cell, [row for row, _ in lines])
    return {"color": colours[cell["method"]], "marker": marks[text.method_family(cell)], "linestyle": dashes}


def _panel(ax: Axes, lines: cells.Lines, tables: Tables) -> None:
    ax.plot([0, 100], [0, 100], color=look.colour("faint"), linewidth=1, linestyle=(0, (3, 3)))
    for cell, bins in lines:
        how = _look(cell, lines, tables)
        ax.plot(100 * bins["confidence"], 100 * bins["accuracy"], markersize=3.5, linewidth=1.3, **how)


def _handles(shown: list[tuple[cells.Panel, cells.Lines]], tables: Tables) -> list[Line2D]:
    handles = {}
    for _, lines in shown:
        for cell, _ in lines:
            label = text.method_label(cell)
            handles[label] = Line2D([], [], markersize=3.5, label=look.safe(label), **_look(cell, lines, tables))
    return list(handles.values())


def _caption(shown: list[tuple[cells.Panel, cells.Lines]], total: int) -> str:
    n = pd.concat([pd.Series([row["n_finished"] for row, _ in lines]) for _, lines in shown])
    panel, lines = shown[-1]
    errors = _errors(panel, lines)
    after = any(scaled == scaled for _, _, scaled in errors)
    measured = f" Expected calibration error at {panel.title}" + (" and after scaling" if after else "")
    measured = f"{measured}: {text.listing(_said(errors))}." if errors else ""
    return (
        "Across: the probability of the predicted class on the test set, in 15 bins. Up: how often that prediction "
        f"is right. Test examples of all replicates together ({cells.n_range(n)}). On the dashed line confidence is "
        "deserved; below it the network is too sure, above it not sure enough."
        + (" Scaled: logits over the temperature that fits the noisy validation labels best." if after else "")
        + measured
    ) + cells.left_out(len(shown), total)


def _errors(panel: cells.Panel, lines: list) -> list[tuple[pd.Series, float, float]]:
    """Return (cell, its mean error, its mean error after scaling) where the first is known."""
    metrics = panel.metrics.reindex(columns=["key", "test_ece", "test_ece_scaled"])
    values = metrics[["test_ece", "test_ece_scaled"]].astype("Float64").astype(float)
    means = values.groupby(metrics["key"]).mean()
    known = [(row, *means.loc[row["key"]]) for row, _ in lines if row["key"] in means.index]
    return [entry for entry in known if entry[1] == entry[1]]


def _said(errors: list[tuple[pd.Series, float, float]]) -> list[str]:
    return [
        f"{text.method_label(row)} {text.percent(error)}" + (f" → {text.percent(scaled)}" if scaled == scaled else "")
        for row, error, scaled in errors
    ]


def _alt(shown: list[tuple[cells.Panel, cells.Lines]]) -> str:
    parts = []
    for panel, lines in shown:
        errors = _said(_errors(panel, lines))
        parts.append(f"{panel.title}, expected calibration error: {'; '.join(errors)}")
    return "Accuracy against confidence. " + ". ".join(parts) + "."
