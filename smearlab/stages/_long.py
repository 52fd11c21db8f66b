"""The long tables of a grid, written block by block: the history of training, and all curves."""

from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from smearlab.core import columns
from smearlab.grid.dag import HISTORY
from smearlab.stages._ran import Ran
from smearlab.store.growing import GrowingTable

ARROW = {columns.TEXT: pa.large_string(), columns.NUMBER: pa.float64(), columns.WHOLE: pa.int64()}
HISTORY_SCHEMA = pa.schema(
    [*((column.name, ARROW[column.type]) for column in columns.HISTORY), ("cell", ARROW[columns.TEXT])]
)
CURVES_SCHEMA = pa.schema([(column.name, ARROW[column.type]) for column in columns.CURVES])
OWN = (pa.int64(), pa.string(), pa.float64())  # of a point: its number, a quantity, the value
TOGETHER = 100  # histories that are parsed at once


class Histories:
    """The table of all histories: a row per computation, replicate and epoch; `cell` joins it to the metrics."""

    def __init__(self, table: GrowingTable) -> None:
        self.table = table
        self._waiting: list[tuple[str, bytes]] = []

    def add(self, cell: str, ran: Ran) -> None:
        """Add the history of a block; histories with the same first line are parsed together."""
        text = (ran.folder / HISTORY).read_bytes()
        if self._waiting and (len(self._waiting) == TOGETHER or _header(text) != _header(self._waiting[0][1])):
            self.end()
        self._waiting.append((cell, text))

    def end(self) -> None:
        """Write those that wait."""
        if self._waiting:
            rows = [text.partition(b"\n")[2] for _, text in self._waiting]
            cells = [
                cell for (cell, _), text in zip(self._waiting, rows, strict=True) for _ in range(text.count(b"\n"))
            ]
            frame = pd.read_csv(BytesIO(b"\n".join([_header(self._waiting[0][1]), b"".join(rows)])))
            frame = frame.reindex(columns=columns.names(columns.HISTORY)).assign(cell=cells)
            self.table.add(pa.Table.from_pandas(frame, HISTORY_SCHEMA, preserve_index=False))
            self._waiting.clear()


def _header(text: bytes) -> bytes:
    return text.partition(b"\n")[0]


def curve_rows(cell: str, replicates: list[dict[str, Any]]) -> pa.Table:
    """Return every curve of a block in long form, a row per quantity of a point."""
    names: list[tuple[Any, ...]] = []
    counts: list[int] = []
    values: list[tuple[int, str, float | None]] = []
    for replicate in replicates:
        for curve, points in replicate["curves"].items():
            found = [(i, key, value) for i, point in enumerate(points) for key, value in point.items()]
            names.append((cell, replicate["noise_seed"], replicate["seed"], curve))
            counts.append(len(found))
            values += found
    if not values:  # of a block that diverged
        return CURVES_SCHEMA.empty_table()
    which = np.repeat(np.arange(len(names)), counts)
    repeated = [pa.array(column).take(which) for column in zip(*names, strict=True)]
    own = [pa.array(column, type) for column, type in zip(zip(*values, strict=True), OWN, strict=True)]
    return pa.table([*repeated, *own], names=CURVES_SCHEMA.names).cast(CURVES_SCHEMA)
