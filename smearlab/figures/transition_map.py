"""The estimated transition matrices as heat maps: which class is labelled as which."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 90
MOST_MAPS = 6
COLUMNS = 3
MOST_NAMED = 12  # classes with their names at the axes


def draw(tables: Tables) -> Drawing | None:
    """Draw a map for each estimated T; None where none was estimated."""
    entries = tables.context.get("estimates", [])
    shown = entries[:MOST_MAPS]
    if not shown:
        return None
    columns = min(COLUMNS, len(shown))
    with look.style():
        figure, grid = look.panels(-(-len(shown) // columns), columns, height=2.6)
        axes = [ax for row in grid for ax in row]
        for ax, entry in zip(axes, shown, strict=False):
            _map(ax, entry, _names(tables, entry))
        for ax in axes[len(shown) :]:
            ax.remove()
    return Drawing(figure, "Which class is labelled as which, estimated", _caption(shown, entries), _alt(tables, shown))


def _names(tables: Tables, entry: dict[str, Any]) -> list[str]:
    known = tables.context.get("datasets", {}).get(entry["dataset"], {}).get("class_names")
    return [str(name) for name in known or range(len(entry["transition"]))]


def _map(ax: Axes, entry: dict[str, Any], names: list[str]) -> None:
    matrix = np.array(entry["transition"], dtype=float)
    roots = np.sqrt(np.clip(matrix, 0, 1))  # small confusions show
    ends = (0, len(matrix), len(matrix), 0)
    # One picture, a pixel an entry: as shapes, six matrices of 100 classes took 2.7 MB of a page.
    ax.imshow(roots, cmap="Greys", vmin=0, vmax=1, interpolation="none", extent=ends)
    ax.grid(False)
    if len(names) <= MOST_NAMED:
        marks = np.arange(len(names)) + 0.5
        ax.set_xticks(marks, [look.safe(name[:8]) for name in names], rotation=90, fontsize=6)
        ax.set_yticks(marks, [look.safe(name[:8]) for name in names], fontsize=6)
    ax.set_xlabel("labelled as")
    ax.set_ylabel("true class")
    ax.set_title(look.safe(look.wrapped(_title(entry))), fontsize=8)


def _title(entry: dict[str, Any]) -> str:
    rate = entry["noise_rate"]
    where = f"{str(entry['noise']).replace('_', ' ')}{'' if rate is None or rate != rate else f' {text.rate(rate)}'}"
    return f"{where}, {entry['estimator']}"


def _caption(shown: list[dict[str, Any]], entries: list[dict[str, Any]]) -> str:
    return (
        "Down: the true class; across: the label it gets. Shade: the root of the estimated probability, mean over "
        "replicates; darker is more. Estimated from the labels given, so confusions that the examples themselves "
        "suggest are too faint." + cells.left_out(len(shown), len(entries))
    )


def _alt(tables: Tables, shown: list[dict[str, Any]]) -> str:
    return "Heat maps of estimated transition matrices: " + "; ".join(map(_title, shown)) + "."
