"""A Parquet table that is written as it grows, so that it is never whole in memory."""

import os
import secrets
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 50_000  # of a row group: what is held before it is written, and what a reader of a few rows has to look at


class GrowingTable:
    """A context in which rows are added; the file is there, whole, when the context ends well, and else not at all.

    The rows stay in their order; their schema is that of the table.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path, self.schema = path, schema
        self.beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._held: list[pa.Table] = []

    def __enter__(self) -> "GrowingTable":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.beside, "xb")
        self._writer = pq.ParquetWriter(self._file, self.schema)
        return self

    def __exit__(self, kind: type[BaseException] | None, *said: BaseException | TracebackType | None) -> None:
        try:
            with self._file:
                if kind is None:
                    self._write()
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())
            if kind is None:
                os.replace(self.beside, self.path)
        finally:
            self.beside.unlink(missing_ok=True)

    def add(self, rows: pa.Table) -> None:
        """Add rows of the table's schema."""
        self._held.append(rows)
        if sum(map(len, self._held)) >= ROWS:
            self._write()

    def _write(self) -> None:
        if self._held:
            rows = pa.concat_tables(self._held)
            self._writer.write_table(rows, row_group_size=max(len(rows), 1))
            self._held.clear()
