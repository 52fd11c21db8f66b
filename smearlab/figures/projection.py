"""Three classes in a plane, as the last layer sees them: the picture of Müller et al. 2019."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 85
MOST_METHODS = 4
MOST_POINTS = 60
CLASSES = {0: ("m-smoothing", "o"), 1: ("m-forward", "^"), 2: ("m-backward", "s")}


def draw(tables: Tables) -> Drawing | None:
    """Draw test examples of three classes, a row per noise rate (the lowest, the highest); None without them."""
    rows = [(panel, shown) for panel in _ends(tables) if (shown := _points(panel, tables))]
    if not rows:
        return None
    columns = max(len(shown) for _, shown in rows)
    names = _class_names(rows[-1][0], tables)
    with look.style():
        figure, grid = look.panels(len(rows), columns, height=2.1, key=_handles(names))
        for line, (panel, shown) in zip(grid, rows, strict=True):
            for ax, (cell, points) in zip(line, shown, strict=False):
                _panel(ax, cell, points)
            for ax in line[len(shown) :]:
                ax.remove()
            line[0].set_ylabel(panel.title)
    return Drawing(figure, "Three classes in the last layer", _caption(rows), _alt(rows, names))


def _ends(tables: Tables) -> list[cells.Panel]:
    """The lowest and the highest rate of the last condition."""
    panels = [panel for panel in cells.select(tables, "teacher")[0] if len(panel.metrics)]
    panels = [panel for panel in panels if panel.condition == panels[-1].condition]
    return panels[:1] + panels[1:][-1:]


def _points(panel: cells.Panel, tables: Tables) -> list[tuple[pd.Series, pd.DataFrame]]:
    found = [(row, tables.curve("projection", row["cell"])) for _, row in _followed(panel.summary).iterrows()]
    return [(row, _of_one_network(points)) for row, points in found if len(points)][:MOST_METHODS]


def _followed(summary: pd.DataFrame) -> pd.DataFrame:
    """Plain training, the weakest and the strongest smoothing, then the others."""
    rows = cells.ends(summary, 2 * MOST_METHODS)
    rank = rows["method"].map({cells.PLAIN: 0, cells.SMOOTHING: 1}).fillna(2)
    return rows.loc[rank.sort_values(kind="stable").index]


def _of_one_network(points: pd.DataFrame) -> pd.DataFrame:
    """The first examples of each class of the first replicate."""
    first = points[["noise_seed", "seed"]].drop_duplicates().sort_values(["noise_seed", "seed"]).iloc[0]
    rows = points[(points["noise_seed"] == first["noise_seed"]) & (points["seed"] == first["seed"])]
    return rows.sort_values("point").groupby("class").head(MOST_POINTS)


def _panel(ax: Axes, cell: pd.Series, points: pd.DataFrame) -> None:
    for label, (token, marker) in CLASSES.items():
        of = points[points["class"] == label]
        ax.plot(of["x"], of["y"], marker, color=look.colour(token), markersize=2.6, alpha=0.7, markeredgewidth=0)
    ax.set_aspect("equal", adjustable="datalim")
    ax.tick_params(labelbottom=False, labelleft=False, length=0)
    ax.set_title(look.safe(look.wrapped(text.method_label(cell))), fontsize=9)


def _class_names(panel: cells.Panel, tables: Tables) -> list[str]:
    names = tables.context.get("datasets", {}).get(panel.condition[0], {}).get("class_names") or list(CLASSES)
    return [f"class {names[label]}" for label in CLASSES]


def _handles(names: list[str]) -> list[Line2D]:
    return [
        Line2D([], [], color=look.colour(token), marker=marker, markersize=4, linestyle="", label=look.safe(name))
        for name, (token, marker) in zip(names, CLASSES.values(), strict=True)
    ]


def _caption(rows: list[tuple[cells.Panel, list]]) -> str:
    return (
        "Test examples of the first three classes: their activations before the last layer, projected on the plane "
        "through the three rows of its weights. One network each (the first replicate, n = 1); the scale is each "
        "panel's own and equal in both directions, so that shape counts and not size. A tight class is a small cloud "
        "far from the others." + _tightness(rows)
    )


def _tightness(rows: list[tuple[cells.Panel, list]]) -> str:
    panel, shown = rows[-1]
    if "feature_tightness" not in panel.metrics:
        return ""
    values = pd.to_numeric(panel.metrics["feature_tightness"], errors="coerce").groupby(panel.metrics["key"])
    means, counts = values.mean(), values.count()
    known = [(row, means[row["key"]]) for row, _ in shown if counts.get(row["key"], 0)]
    if not known:
        return ""
    said = text.listing([f"{text.method_label(row)} {text.plain(mean)}" for row, mean in known])
    n = cells.n_range(pd.Series([counts[row["key"]] for row, _ in known]))
    return f" Spread within classes over spread between them, all classes, at {panel.title}: {said} ({n})."


def _alt(rows: list[tuple[cells.Panel, list]], names: list[str]) -> str:
    where = text.listing([panel.title for panel, _ in rows])
    return f"Clouds of test examples of {text.listing(names)} in a plane, at {where}." + _tightness(rows)
