"""The look that all figures share: one colour per method, quiet axes, sizes that suit the page.

Each colour here has a name. An SVG file holds the light value; the report replaces it by the style variable of
that name, which has a second value for dark pages (see report/theme.py).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NotRequired, TypedDict

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

WIDTH = 9.0  # inches, drawn at 72 units an inch

# name: (light, dark); the light values are distinct, because the report finds them by value
INK = {
    "ink": ("#22262c", "#e4e7eb"),
    "muted": ("#666d77", "#9aa3ae"),
    "faint": ("#c9ced5", "#454c56"),
    "grid": ("#e7eaee", "#2a3038"),
    "paper": ("#fefefd", "#15181d"),
    "band": ("#eef1f4", "#20252c"),
}
METHODS = {
    "m-plain": ("#59616b", "#b4bcc6"),
    "m-smoothing": ("#0b6cb5", "#62b5f2"),
    "m-forward": ("#c04a10", "#ff9763"),
    "m-backward": ("#007d5c", "#41c99c"),
    "m-decay": ("#8548a6", "#c99aea"),
    "m-gold": ("#946600", "#e5b543"),
    "m-pink": ("#b43d7a", "#f48fbd"),
    "m-cyan": ("#087a88", "#58ccd8"),
    "m-olive": ("#5f7016", "#bccb5d"),
    "m-brown": ("#7a4f2c", "#d3a680"),
}
RAMP = {
    "r-0": ("#7fb6df", "#2c6596"),
    "r-1": ("#549dd3", "#3a7fb8"),
    "r-2": ("#2b80c0", "#4d9ad6"),
    "r-3": ("#10619f", "#79bdf0"),
    "r-4": ("#0a4475", "#a9d6f8"),
    "r-5": ("#06294a", "#d5ecfd"),
}
DIVERGING = {
    "d-0": ("#9c3a0b", "#f0833f"),
    "d-1": ("#c4622d", "#c9652a"),
    "d-2": ("#de9468", "#964b22"),
    "d-3": ("#f0c4a8", "#63371e"),
    "d-4": ("#f8e4d8", "#3b281d"),
    "d-5": ("#f1f2f4", "#262b32"),
    "d-6": ("#d9e9f6", "#1c2e3d"),
    "d-7": ("#abd0ec", "#1f4766"),
    "d-8": ("#6dacdb", "#276593"),
    "d-9": ("#317fbd", "#3f8ec9"),
    "d-10": ("#0d558f", "#6fbcf5"),
}
TOKENS = INK | METHODS | RAMP | DIVERGING
FIXED = {
    "cross_entropy": "m-plain",
    "label_smoothing": "m-smoothing",
    "forward": "m-forward",
    "backward": "m-backward",
    "weight_decay": "m-decay",
}
MARKERS = {"cross_entropy": "s", "label_smoothing": "o", "forward": "^", "backward": "v", "weight_decay": "D"}
SPARE_MARKERS = "Pphd<>X*"
FURTHER_MARKERS = "so^vDH8"
Dashes = Literal["-"] | tuple[float, tuple[float, ...]]
Shared = bool | Literal["none", "all", "row", "col"]
DASHES: list[Dashes] = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2))]


class LineStyle(TypedDict):
    """How the line of a method is drawn, as matplotlib's keywords."""

    color: str
    linestyle: Dashes
    marker: NotRequired[str]


def colour(name: str) -> str:
    """Return the light value of a named colour."""
    return TOKENS[name][0]


def method_colours(methods: list[str]) -> dict[str, str]:
    """Return one colour for each method: the same in every figure of a grid, fixed for the paper's methods."""
    spare = [token for token in METHODS if token not in FIXED.values()]
    others = [method for method in methods if method not in FIXED]
    chosen = {method: spare[i % len(spare)] for i, method in enumerate(others)}
    return {method: colour(FIXED.get(method) or chosen[method]) for method in methods}


def method_markers(methods: list[str]) -> dict[str, str]:
    """Return one marker for each method, so that no figure is read by colour alone."""
    others = [method for method in methods if method not in MARKERS]
    spare = {method: SPARE_MARKERS[i % len(SPARE_MARKERS)] for i, method in enumerate(others)}
    return {method: MARKERS.get(method) or spare[method] for method in methods}


def family_markers(families: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return one marker for each (name, method) of a figure: a method's own, and for its further variants spare ones.

    With the colour of the method no two of them look the same, however many variants a method has.
    """
    own = method_markers(list(dict.fromkeys(method for _, method in families)))
    found: dict[str, str] = {}
    for name, method in families:
        taken = {found[other] for other, its in families if other in found and its == method}
        spare = [mark for mark in (own[method], *SPARE_MARKERS, *FURTHER_MARKERS) if mark not in taken]
        found[name] = spare[0] if spare else own[method]
    return found


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within this: it fixes every setting that a reader's matplotlibrc could change."""
    ink, muted = colour("ink"), colour("muted")
    settings: dict[RcKeyType, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "smearlab",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": ink,
        "axes.titlesize": 10,
        "axes.titleweight": "normal",
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": muted,
        "axes.edgecolor": colour("faint"),
        "axes.facecolor": "none",
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": colour("grid"),
        "grid.linewidth": 0.8,
        "xtick.color": colour("faint"),
        "ytick.color": colour("faint"),
        "xtick.labelcolor": muted,
        "ytick.labelcolor": muted,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "lines.linewidth": 1.6,
        "lines.markersize": 5,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
    }
    with matplotlib.style.context("default"), mpl.rc_context(settings):
        yield


def method_style(methods: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return colours and markers of methods."""
    return method_colours(methods), method_markers(methods)


def safe(label: str) -> str:
    """Return a label that matplotlib takes literally: no formula between dollars, no hiding underscore."""
    return label.replace("$", r"\$").removeprefix("_") or " "


def wrapped(label: str, width: int = 26) -> str:
    """Return the heading of a narrow panel, in two lines where it is longer than `width` letters."""
    return label.replace(" (", "\n(", 1) if len(label) > width else label


def ticks(most: int, *, integer: bool = False) -> MaxNLocator:
    """Return a locator of few round ticks."""
    return MaxNLocator(most, integer=integer)


def panels(
    rows: int,
    columns: int,
    *,
    height: float,
    key: Sequence[Line2D] = (),
    ratios: list[float] | None = None,
    sharex: Shared = False,
    sharey: Shared = False,
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of page width with rows × columns axes, each row `height` inches, and the key above them."""
    among = legend_columns([str(handle.get_label()) for handle in key])
    top = 0.12 + 0.2 * -(-len(key) // among) if key else 0.05
    total = rows * height + top
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - top / total), wspace=0.03, hspace=0.05)
    figure = Figure(figsize=(WIDTH, total), layout=layout)
    axes = figure.subplots(rows, columns, squeeze=False, height_ratios=ratios, sharex=sharex, sharey=sharey)
    if key:
        figure.legend(handles=key, loc="upper left", ncols=among, borderaxespad=0.1, handlelength=2.4)
    return figure, [list(row) for row in axes]


def legend_columns(labels: Sequence[str]) -> int:
    """Return how many columns of these labels fit the width of the page."""
    for columns in range(min(len(labels), 6), 1, -1):
        widths = [max(map(len, part)) for part in np.array_split(np.array(labels, dtype=object), columns)]
        if sum(5.3 * width + 40 for width in widths) <= 72 * WIDTH - 10:
            return columns
    return 1
