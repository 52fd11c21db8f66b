"""One-sided noise moves a linear separator; smoothing and ℓ2 move it back (after Lukasik et al. 2020)."""

import pandas as pd
from matplotlib.axes import Axes

from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._theory import curve
from smearlab.store.tables import Tables

ORDER = 220
CLAIM = "linear_separator"
TREATMENTS = {
    "smoothing": ("m-smoothing", "o", "label smoothing, α"),
    "l2": ("m-decay", "D", "ℓ2 penalty on all weights"),
    "l2_free_offset": ("m-cyan", "P", "ℓ2 penalty, offset free"),
}


def draw(tables: Tables) -> Drawing | None:
    """Draw one sample with its separators, and offsets over seeds; None where the claim was not computed."""
    points, lines = curve(tables, CLAIM, "example_points"), curve(tables, CLAIM, "example_lines")
    fits = curve(tables, CLAIM, "separators")
    if not len(points) or not len(lines) or not len(fits):
        return None
    with look.style():
        figure, ((left, right),) = look.panels(1, 2, height=3.1)
        _sample(left, points, lines)
        _offsets(right, fits)
    return Drawing(figure, "A linear separator under one-sided noise", _caption(fits), _alt(fits))


def _sample(ax: Axes, points: pd.DataFrame, lines: pd.DataFrame) -> None:
    for label, marker in ((0, "o"), (1, "^")):
        right = points[(points["label"] == label) & (points["observed"] == label)]
        ax.plot(right["x"], right["y"], marker, color=look.colour("faint"), markersize=3, linestyle="none")
    wrong = points[points["label"] != points["observed"]]
    ax.plot(wrong["x"], wrong["y"], "x", color=look.colour("m-pink"), markersize=4, label="wrong label")
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    ax.axline((0, 0), slope=-1, color=look.colour("ink"), linewidth=1, linestyle=(0, (2, 2)), label="Bayes line")
    _line(ax, lines, "smoothing", 0.0, "m-plain", "plain, noisy labels")
    for treatment in ("smoothing", "l2"):
        strongest = lines[lines["treatment"] == treatment]["strength"].max()
        token, _, name = TREATMENTS[treatment]
        _line(ax, lines, treatment, strongest, token, f"{name.removesuffix(', α')} {strongest:g}")
    ax.set_title("one sample")
    ax.legend(loc="lower left", fontsize=7.5)


def _line(ax: Axes, lines: pd.DataFrame, treatment: str, strength: float, token: str, label: str) -> None:
    """Draw w_x x + w_y y + w_0 = 0."""
    rows = lines[(lines["treatment"] == treatment) & (lines["strength"] == strength)]
    if len(rows) and rows["w_y"].iloc[0]:
        row = rows.iloc[0]
        at, slope = (0, -row["w_0"] / row["w_y"]), -row["w_x"] / row["w_y"]
        ax.axline(at, slope=slope, color=look.colour(token), linewidth=1.5, label=label)


def _offsets(ax: Axes, fits: pd.DataFrame) -> None:
    for treatment, (token, marker, label) in TREATMENTS.items():
        rows = fits[fits["treatment"] == treatment].sort_values("strength")
        steps = range(len(rows))
        colour = look.colour(token)
        ax.errorbar(steps, rows["offset_mean"], rows["offset_std"], color=colour, marker=marker, label=label)
        for step, (_, row) in zip(steps, rows.iterrows(), strict=True):
            place = (step, row["offset_mean"])
            ax.annotate(f"{row['strength']:g}", place, (4, 4), textcoords="offset points", fontsize=7, color=colour)
    ax.axhline(0, color=look.colour("ink"), linewidth=1, linestyle=(0, (2, 2)))
    ax.set_xticks([])
    ax.set_xlabel("weaker → stronger regularisation")
    ax.set_ylabel("distance from the Bayes line")
    ax.set_title("mean ± sd over seeds")
    ax.legend(loc="upper left", fontsize=7.5)
    ax.margins(y=0.25)


def _caption(fits: pd.DataFrame) -> str:
    return (
        "Left: two classes, part of one of them with the wrong label (crosses), and the lines that a linear model "
        "fits. Right: how far the fitted line lies from the Bayes line (at 0), against the strength of "
        f"regularisation, written at each point. {_said(fits)}"
    )


def _said(fits: pd.DataFrame) -> str:
    parts = []
    for treatment, (_, _, label) in TREATMENTS.items():
        rows = fits[fits["treatment"] == treatment].sort_values("strength")
        if len(rows):
            first, last = rows["offset_mean"].iloc[0], rows["offset_mean"].iloc[-1]
            parts.append(f"{label.removesuffix(', α')}: from {first:.2f} to {last:.2f}")
    return ("; ".join(parts) + ".").replace("-", "−")


def _alt(fits: pd.DataFrame) -> str:
    return f"Sample of two classes with fitted lines, and their distances from the Bayes line. {_said(fits)}"
