"""Values on hover: what a mark of a figure says on the page when a pointer rests on it."""

import math

from matplotlib.axes import Axes

from smearlab.figures import _style as look

SAID = "said: "
"""How the id of such a mark begins in the SVG; what it says follows."""
REACH = 9.0  # of a mark, in points across


def say(ax: Axes, x: float, y: float, said: str) -> None:
    """Lay an unseen mark at a point of the axes that says something; nothing where there is no point."""
    if math.isfinite(x) and math.isfinite(y):
        ax.plot([x], [y], "o", color=look.colour("paper"), alpha=0, markersize=REACH, zorder=50, gid=f"{SAID}{said}")
