"""Margins of right and of wrong training labels: the density picture of Lukasik et al. 2020."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _densities as densities
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.store.tables import Tables

ORDER = 80
GROUPS = {"right": "muted", "wrong": "m-pink"}


def draw(tables: Tables) -> Drawing | None:
    """Draw margin densities at the highest rate, a panel per method; None without such curves."""
    panel, lines = densities.highest_rate(tables, "margins", GROUPS)
    if panel is None:
        return None
    with look.style():
        names = {group: f"observed label is {group}" for group in GROUPS}
        figure = densities.draw(lines, GROUPS, names, "margin")
        low, high = _span([found for _, found in lines])
        for ax in figure.axes:
            ax.axvline(0, color=look.colour("faint"), linewidth=1, zorder=1)
            ax.set_xlim(low, high)
    return Drawing(figure, "Margins of right and wrong labels", _caption(panel, lines), _alt(panel, lines))


def _span(all_densities: list[pd.DataFrame]) -> tuple[float, float]:
    """The margins that hold the middle 97 % of all panels' mass; the caption says that the tails are cut."""
    seen = pd.concat(all_densities)
    mass = (seen[list(GROUPS)].sum(axis=1) * (seen["high"] - seen["low"])).groupby([seen["low"], seen["high"]]).sum()
    share = mass.cumsum() / mass.sum()
    kept = mass[(share > 0.02) & (share <= 0.99)].reset_index()
    return (float(kept["low"].min()), float(kept["high"].max())) if len(kept) > 1 else (-10.0, 10.0)


def _caption(panel: cells.Panel, lines: cells.Lines) -> str:
    n = pd.Series([row["n_finished"] for row, _ in lines])
    return (
        f"Training examples at {panel.title}. Across: margin of the observed label (its logit minus the largest "
        "other), far tails cut; up: density on a scale of each panel, averaged over replicates "
        f"({cells.n_range(n)}). Mass of the wrong labels right of zero is memorised. Of a method with strengths the "
        "weakest and the strongest are shown."
    ) + _wrong_mass(lines)


def _wrong_mass(lines: cells.Lines) -> str:
    shares = [(row, s) for row, d in lines if (s := positive_share(d)) is not None]
    if not shares:
        return ""
    said = [f"{text.method_label(row)} {text.percent(share, 0)}" for row, share in shares]
    return f" Wrong labels with a margin above zero: {text.listing(said)}."


def positive_share(found: pd.DataFrame) -> float | None:
    """Return the share of the wrong labels' mass above zero, None where there are none."""
    mass = found["wrong"] * (found["high"] - found["low"])
    total = mass.sum()
    return float(mass[found["low"] >= -1e-9].sum() / total) if total > 0 else None


def _alt(panel: cells.Panel, lines: cells.Lines) -> str:
    return f"Densities of the margin at {panel.title} for right and wrong labels." + _wrong_mass(lines)
