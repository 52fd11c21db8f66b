"""How far the grid is."""

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.statistics.cells import each_network
from smearlab.store.tables import Tables


def state(tables: Tables) -> list[str]:
    """Return how far the grid is, in a few short facts."""
    computed = int((tables.summary["n"] > 0).sum())
    networks = each_network(tables.metrics)
    diverged = len(cells.diverged(networks))
    return [
        f"{text.whole(computed)} of {text.counted(len(tables.summary), 'cell')} computed",
        text.counted(len(networks), "network"),
        *([f"{diverged} diverged"] if diverged else []),
    ]
