"""What a wrong transition matrix costs: accuracy lost against the error of T; the line to beat is plain smoothing."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 35
MOST_PANELS = 6
KINDS = {"true": ("D", "true T"), "perturbed": ("o", "perturbed T"), "estimated": ("^", "estimated T")}


def draw(tables: Tables) -> Drawing | None:
    """Draw a panel per condition and rate that has estimated or perturbed T of known error; None without any."""
    if "transition_error" not in tables.metrics:
        return None
    shown, total = cells.select(tables, "teacher")
    usable = [(panel, corrected(panel)) for panel in shown]
    usable = [(panel, rows) for panel, rows in usable if (rows["kind"] != "true").any() and not np.isnan(zero(rows))]
    total -= len(shown) - len(usable)
    usable = usable[:MOST_PANELS]
    if not usable:
        return None
    columns = min(3, len(usable))
    with look.style():
        figure, grid = look.panels(-(-len(usable) // columns), columns, height=3.0, key=_handles(usable, tables))
        axes = [ax for line in grid for ax in line]
        for ax, (panel, rows) in zip(axes, usable, strict=False):
            _panel(ax, panel, rows, tables)
        for ax in axes[len(usable) :]:
            ax.remove()
    return Drawing(figure, "What a wrong transition matrix costs", _caption(usable, total, tables), _alt(usable))


def corrected(panel: cells.Panel) -> pd.DataFrame:
    """Return a row per cell with a true, perturbed or estimated T: mean error of T, mean accuracy, spread, n.

    `kind` is true, perturbed or estimated; errors are total variations averaged over rows and replicates.
    """
    runs = panel.metrics[panel.metrics["transition"].str.match(r"true$|perturbed\(|estimated\(")].copy()
    runs["error"] = pd.to_numeric(runs["transition_error"]).to_numpy(float, na_value=np.nan)
    runs = runs[runs["error"].notna() & runs["accuracy"].notna()]
    if not len(runs):
        return pd.DataFrame(columns=["kind", "accuracy"])
    runs["kind"] = runs["transition"].str.split("(").str[0]
    keys = ["key", "method", "transition", "kind"]
    groups = runs.groupby(keys, sort=False)
    found = groups.agg(error=("error", "mean"), accuracy=("accuracy", "mean"), std=("accuracy", "std"))
    return found.join(groups.size().rename("n")).reset_index().merge(_families(runs), on="key")


def _families(runs: pd.DataFrame) -> pd.DataFrame:
    """Return for each cell what distinguishes it besides its T: its method with options and strength."""
    firsts = runs.drop_duplicates("key")
    names = firsts.assign(transition="").apply(text.method_label, axis=1)
    return pd.DataFrame({"key": firsts["key"], "family": names})


def zero(rows: pd.DataFrame) -> float:
    """Return the accuracy from which losses are counted: the best mean accuracy with the true T; NaN without one."""
    return float(rows[rows["kind"] == "true"]["accuracy"].astype(float).max())


def best_smoothing(panel: cells.Panel) -> tuple[float, float] | None:
    """Return (α, mean accuracy) of the plain smoothing that does best on the test set; None without any."""
    runs = panel.metrics[(panel.metrics["method"] == cells.SMOOTHING) & (panel.metrics["alpha"] > 0)]
    means = runs[runs["accuracy"].notna()].groupby("alpha")["accuracy"].mean()
    return (float(means.index[int(means.argmax())]), float(means.max())) if len(means) else None


def _panel(ax: Axes, panel: cells.Panel, rows: pd.DataFrame, tables: Tables) -> None:
    colours, _ = look.method_style(cells.methods(tables))
    best = zero(rows)
    for _, family in rows.groupby("family", sort=False):
        colour = colours[family["method"].iloc[0]]
        steps = family[family["kind"] != "estimated"].sort_values("error", kind="stable")
        ax.plot(steps["error"], 100 * (best - steps["accuracy"]), color=colour, linewidth=1)
        for _, row in family.iterrows():
            _point(ax, row, best, colour)
    smoothing = best_smoothing(panel)
    if smoothing is not None:
        ax.axhline(
            100 * (best - smoothing[1]), color=colours.get(cells.SMOOTHING), linewidth=1.3, linestyle=(0, (5, 2))
        )
    ax.set_title(panel.title)
    ax.set_xlabel("error of T (mean total variation of its rows)")
    ax.set_ylabel("accuracy lost, points")
    ax.margins(0.14)
    ax.invert_yaxis()


def _point(ax: Axes, row: pd.Series, best: float, colour: str) -> None:
    place = (row["error"], 100 * (best - row["accuracy"]))
    marker = KINDS[row["kind"]][0]
    spread = 100 * row["std"] if row["std"] == row["std"] else None
    ax.errorbar(*place, yerr=spread, fmt=marker, color=colour, markersize=5.5, elinewidth=0.8)
    if row["kind"] == "estimated":
        name = row["transition"].removeprefix("estimated(").removesuffix(")").replace("_", " ")
        ink = look.colour("muted")
        ax.annotate(look.safe(name), place, (6, 4), textcoords="offset points", fontsize=7.5, color=ink)


def _handles(usable: list[tuple[cells.Panel, pd.DataFrame]], tables: Tables) -> list[Line2D]:
    colours, _ = look.method_style(cells.methods(tables))
    rows = pd.concat([rows for _, rows in usable])
    families = rows.drop_duplicates("family")
    handles = [
        Line2D([], [], color=colours[row["method"]], linewidth=1.6, label=look.safe(row["family"]))
        for _, row in families.iterrows()
    ]
    handles += [
        Line2D([], [], color=look.colour("muted"), marker=marker, linewidth=0, label=label)
        for kind, (marker, label) in KINDS.items()
        if (rows["kind"] == kind).any()
    ]
    if any(best_smoothing(panel) for panel, _ in usable):
        colour, label = colours.get(cells.SMOOTHING), "best plain smoothing"
        handles.append(Line2D([], [], color=colour, linewidth=1.3, linestyle=(0, (5, 2)), label=label))
    return handles


def _caption(usable: list[tuple[cells.Panel, pd.DataFrame]], total: int, tables: Tables) -> str:
    rows = pd.concat([rows for _, rows in usable])
    return (
        "Across: how far the transition matrix in use is from the true one, the total variation of a row, averaged "
        f"over rows and replicates ({cells.n_range(rows['n'])}); perturbed ones are wrong by a known amount. Down: "
        f"{cells.accuracy_name(tables)} lost to the best correction with the true T, in points; bars are one "
        "standard deviation. Dashed: plain smoothing, which needs no T, at its best α, chosen in hindsight on the "
        f"test set; a correction below that line is not worth its T.{_found(usable)}"
        + cells.left_out(len(usable), total)
    )


def _found(usable: list[tuple[cells.Panel, pd.DataFrame]]) -> str:
    parts = []
    for panel, rows in usable:
        estimated = rows[rows["kind"] == "estimated"]
        smoothing = best_smoothing(panel)
        if len(estimated) and smoothing is not None:
            above = int((estimated["accuracy"] > smoothing[1]).sum())
            parts.append(f"{panel.title}: {above} of {len(estimated)}")
    return f" Estimated corrections above it: {'; '.join(parts)}." if parts else ""


def _alt(usable: list[tuple[cells.Panel, pd.DataFrame]]) -> str:
    parts = []
    for panel, rows in usable:
        values = [
            f"{row['family']}, {row['transition']}: error {row['error']:.3f}, accuracy {text.percent(row['accuracy'])}"
            for _, row in rows.head(15).iterrows()
        ]
        smoothing = best_smoothing(panel)
        if smoothing is not None:
            values.append(f"best smoothing (α = {text.plain(smoothing[0], 3)}) {text.percent(smoothing[1])}")
        parts.append(f"{panel.title}: {'; '.join(values)}")
    return "Accuracy against the error of the transition matrix. " + ". ".join(parts) + "."
