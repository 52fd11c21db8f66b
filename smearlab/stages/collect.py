"""The tables of a grid, from whatever its cells have written so far."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from smearlab.core import columns
from smearlab.core.jobs import CollectionJob, Replicate
from smearlab.grid.cells import RESULTS, Cell, Grid, Row, load_grid
from smearlab.grid.jobs import evaluation_code, training_code, training_job
from smearlab.stages._context import context
from smearlab.stages._gold import gold_table, with_gold
from smearlab.stages._label_quality import annotators, by_noise, suspects_of
from smearlab.stages._long import CURVES_SCHEMA, HISTORY_SCHEMA, Histories, curve_rows
from smearlab.stages._ran import SAID, Ran, Reader
from smearlab.store.correct import write_correct
from smearlab.store.files import sha256_file, write_bytes, write_sealed, write_text
from smearlab.store.growing import GrowingTable
from smearlab.store.inputs import Files
from smearlab.training.correction import transition_facts

TYPES = {columns.TEXT: "string", columns.NUMBER: "Float64", columns.WHOLE: "Int64", columns.FLAG: "boolean"}
TABLES = (
    *("metrics.parquet", "metrics.csv", "history.parquet", "curves.parquet", "gold.parquet", "correct.npz"),
    *("suspects.csv", "suspects_by_noise.csv"),
)
ROWS = 500  # of the metrics that are put into a frame at a time


def collect(grid: Grid, out: Path, *, results: Path = Path(RESULTS)) -> None:
    """Write metrics.parquet, metrics.csv, history.parquet, curves.parquet, correct.npz and context.json of a grid into
    `out`.

    Cells that are not there yet are listed in context.json as missing, which also holds the hashes of the others.
    Nothing is computed here. UserError for a file that is not the one that was written.
    """
    reader = Reader(grid, results)
    write_long_tables(reader, out)
    gold = gold_table(grid, reader)
    metrics = with_gold(metrics_table(reader), gold)
    found, said = suspects_of(grid, results)
    write_text(out / "suspects.csv", found.to_csv(index=False, lineterminator="\n"))
    write_text(out / "suspects_by_noise.csv", by_noise(said).to_csv(index=False, lineterminator="\n"))
    write_bytes(out / "gold.parquet", gold.to_parquet(index=False))
    write_bytes(out / "metrics.parquet", metrics.to_parquet(index=False))
    write_text(out / "metrics.csv", metrics.to_csv(index=False, lineterminator="\n"))
    of_labels = {key: v for key, v in (("suspects", said), ("annotators", annotators(grid, results))) if v}
    write_correct(out / "correct.npz", reader.right())
    hashes = {name: sha256_file(out / name) for name in TABLES}
    write_sealed(out / "context.json", {**context(grid, reader, metrics), **of_labels, "sha256": hashes})


def write_long_tables(reader: Reader, out: Path) -> None:
    """Read every block once, and write its history and its curves before the next is read."""
    with (
        GrowingTable(out / "history.parquet", HISTORY_SCHEMA) as history,
        GrowingTable(out / "curves.parquet", CURVES_SCHEMA) as curves,
    ):
        histories = Histories(history)
        for cell, whole in reader.blocks():
            name = reader.grid.in_tables(cell)
            histories.add(name, whole.ran)
            curves.add(curve_rows(name, whole.replicates))
        histories.end()


def metrics_table(reader: Reader) -> pd.DataFrame:
    """Return a row per named cell and replicate; columns that do not apply are null."""
    records: list[dict[str, Any]] = []
    frames = []
    for row, block, ran in reader.rows():
        records += _records(reader, row, block, ran) if ran else []
        if len(records) >= ROWS:  # a frame takes a tenth of what its rows take as dictionaries
            frames.append(_typed(pd.DataFrame(records)))
            records = []
    if records or not frames:
        frames.append(_typed(pd.DataFrame(records)))
    return _typed(pd.concat(frames, ignore_index=True))


def _records(reader: Reader, row: Row, block: str, ran: Ran) -> Iterator[dict[str, Any]]:
    job = training_job(row.cell, block)
    method = row.naming.method if row.cell.beta != 1 else row.cell.method  # at beta 1 no label loss is computed
    named = replace(job, method=method)
    estimates = reader.estimates(row.cell, block)
    accepted = is_accepted(reader, row.cell, block)
    for said, measured in ran.rows():
        audit = reader.audit(row.cell, said["noise_seed"])
        yield {
            **row.columns,
            "realised_noise_rate": audit.get("realised_noise_rate"),
            **{key: said.get(key) for key in SAID},
            **measured,
            **transition_facts(named, audit, estimates.get(Replicate(said["noise_seed"], said["seed"]))),
            "accepted": accepted,
            "cell": reader.grid.in_tables(row.cell),
            **_split_of(row.cell),
        }


def _split_of(cell: Cell) -> dict[str, int]:
    """Return the split's seed, where every replicate has its own."""
    dataset = cell.labels.dataset
    return {} if dataset.split is None else {columns.SPLIT: dataset.settings["split_seed"]}


def is_accepted(reader: Reader, cell: Cell, block: str) -> bool:
    """Whether earlier code trained or evaluated a block, or its teacher's, and the user took it as it is."""
    ran = reader.block(cell, block)
    if ran is None or (cell.teacher is not None and is_accepted(reader, cell.teacher, block)):
        return ran is not None
    return ran.codes != (training_code(cell), evaluation_code(cell))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with all columns of the table first, each of its type; what else was measured is a number."""
    further = sorted(set(frame.columns) - {column.name for column in columns.METRICS})
    frame = frame.reindex(columns=[*columns.names(columns.METRICS), *further])
    types = {column.name: TYPES[column.type] for column in columns.METRICS} | {columns.SPLIT: TYPES[columns.WHOLE]}
    return frame.astype({name: types.get(name, TYPES[columns.NUMBER]) for name in frame.columns})


def run(job: CollectionJob, inputs: Files, outputs: Files) -> None:
    """Put every network of a grid into one table, a row each, in a fixed order."""
    collect(load_grid(inputs["config"]), Path(outputs["metrics"]).parent)
