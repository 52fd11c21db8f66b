"""The losses of the family against the margin, two classes (the first figure of Lukasik et al. 2020)."""

import pandas as pd

from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._theory import curve
from smearlab.store.tables import Tables

ORDER = 210
LINES = {
    "plain": ("m-plain", "cross-entropy", "-"),
    "smoothing": ("m-smoothing", "label smoothing", "-"),
    "forward": ("m-forward", "forward correction", (0, (5, 2))),
    "backward": ("m-backward", "backward correction", (0, (1.5, 1.5))),
}


def draw(tables: Tables) -> Drawing | None:
    """Draw loss against margin; None where the claim was not computed."""
    rows = curve(tables, "margin_losses", "losses")
    if not len(rows):
        return None
    with look.style():
        figure, ((ax,),) = look.panels(1, 1, height=2.9)
        for name, losses in rows.groupby("loss", sort=False):
            token, label, dashes = LINES.get(str(name), ("muted", str(name), "-"))
            ax.plot(losses["margin"], losses["value"], color=look.colour(token), label=label, linestyle=dashes)
        ax.axhline(0, color=look.colour("faint"), linewidth=1)
        ax.set_xlabel("margin: logit of the stated label minus the other")
        ax.set_ylabel("loss, nats")
        ax.legend(loc="upper right")
    return Drawing(figure, "Loss against margin", _caption(rows), _alt(rows))


def _caption(rows: pd.DataFrame) -> str:
    lows = rows.loc[rows.groupby("loss", sort=False)["value"].idxmin()].set_index("loss")
    said = ""
    if {"smoothing", "backward"} <= set(lows.index):
        smoothed, backward = lows.loc["smoothing"], lows.loc["backward"]
        said = (
            f" Smoothing has its least loss, {smoothed['value']:.2f}, at a margin of {smoothed['margin']:.1f}, so it "
            f"asks for no more; backward is at {backward['value']:.2f} at the right edge and still falls."
        )
    return "Two classes. Across: margin; up: loss of the stated label." + said.replace("-", "−")


def _alt(rows: pd.DataFrame) -> str:
    ends = rows.groupby("loss", sort=False)["value"].agg(["first", "last"])
    said = [f"{name}: {row['first']:.2f} at the left, {row['last']:.2f} at the right" for name, row in ends.iterrows()]
    return "Curves of the loss against the margin. " + "; ".join(said) + "."
