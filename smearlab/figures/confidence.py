"""How sure networks are: histograms of the top-class probability on test and on right and wrong training labels."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _densities as densities
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 75
GROUPS = {"test": "m-smoothing", "train_right": "muted", "train_wrong": "m-pink"}
NAMES = {"test": "test", "train_right": "training, observed label is right", "train_wrong": "training, wrong"}


def draw(tables: Tables) -> Drawing | None:
    """Draw the histograms at the highest rate, a panel per method; None without such curves."""
    panel, lines = densities.highest_rate(tables, "confidence", GROUPS)
    if panel is None:
        return None
    with look.style():
        figure = densities.draw(lines, GROUPS, NAMES, "confidence, %", scale=100)
        for ax in figure.axes:
            ax.set_xlim(0, 100)
            ax.tick_params(labelleft=False)  # the scale is each panel's own
    return Drawing(figure, "How sure the networks are", _caption(panel, lines), _alt(panel, lines))


def mean_confidence(found: pd.DataFrame, group: str) -> float:
    """Return the mean of a group's histogram, each bin counted at its middle; NaN of an empty group."""
    mass = found[group] * (found["high"] - found["low"])
    return float((mass * (found["low"] + found["high"]) / 2).sum() / mass.sum()) if mass.sum() > 0 else float("nan")


def _caption(panel: cells.Panel, lines: cells.Lines) -> str:
    n = pd.Series([row["n_finished"] for row, _ in lines])
    return (
        f"At {panel.title}. Across: the probability of the predicted class, in 20 bins; up: density on a scale of "
        f"each panel, averaged over replicates ({cells.n_range(n)}). Of a method with strengths the weakest and the "
        "strongest are shown." + _means(lines)
    )


def _means(lines: cells.Lines) -> str:
    said = [
        f"{text.method_label(row)} {text.percent(test, 0)} and {text.percent(wrong, 0)}"
        for row, found in lines
        if (test := mean_confidence(found, "test")) == test
        and (wrong := mean_confidence(found, "train_wrong")) == wrong
    ]
    return f" Mean confidence on test and on wrong training labels: {text.listing(said)}." if said else ""


def _alt(panel: cells.Panel, lines: cells.Lines) -> str:
    return f"Histograms of the confidence at {panel.title}, on test and on training examples." + _means(lines)
