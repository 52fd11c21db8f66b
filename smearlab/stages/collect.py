"""The tables of a grid, from whatever its cells have written so far."""

import importlib.metadata
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.digest import ROOT, source_digest
from smearlab.core.jobs import CollectionJob, Replicate
from smearlab.grid.cells import RESULTS, Cell, Grid, Row, load_grid
from smearlab.grid.dag import RUN
from smearlab.grid.estimator import Estimator
from smearlab.grid.jobs import evaluation_code, training_code, training_job
from smearlab.stages._gold import gold_table, with_gold
from smearlab.stages._label_quality import annotators, by_noise, suspects_of
from smearlab.stages._long import CURVES_SCHEMA, HISTORY_SCHEMA, Histories, curve_rows
from smearlab.stages._ran import SAID, Ran, Reader, read_if_there
from smearlab.store.correct import write_correct
from smearlab.store.examples import spread_of_difference
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
VERSIONS = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def collect(grid: Grid, out: Path, *, results: Path = Path(RESULTS)) -> None:
    """Write metrics.parquet, metrics.csv, history.parquet, curves.parquet, correct.npz and context.json of a grid into
    `out`.

    Cells that are not there yet are listed in context.json as missing, which also holds the hashes of the others.
    Nothing is computed here. UserError for a file that is not the one that was written.
    """
    reader = Reader(grid, results)
    write_long_tables(reader, out)
    gold = gold_table(grid, reader)
    metrics = with_gold(metrics_table(grid, reader), gold)
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


def metrics_table(grid: Grid, reader: Reader) -> pd.DataFrame:
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


def context(grid: Grid, reader: Reader, metrics: pd.DataFrame) -> dict[str, Any]:
    """Return what the report says around the numbers: config, data, versions, what is missing."""
    claims = read_if_there(reader.results / "theory" / "claims.json", "claims")
    return {
        "name": grid.name,
        "title": grid.config.title or grid.name,
        "config": grid.config.model_dump(mode="json"),
        "datasets": {d.name: _dataset_facts(reader, d.id) for d in grid.datasets.values() if not d.split},
        "noises": _noise_facts(metrics),
        "estimates": estimates(grid, reader),
        **({"disagreement": apart} if (apart := disagreement(grid, reader, metrics)) else {}),
        "environment": environment(reader),
        "code_version": code_version(),
        "cells": [{**row.columns, "cell": row.cell.key} for row in grid.named.values()],
        "missing": missing(reader),
        "accepted": int(metrics["accepted"].sum()) if len(metrics) else 0,
        **({"doubts": doubts} if (doubts := label_doubts(grid, reader)) else {}),
        **({"theory": claims["claims"]} if claims is not None else {}),
    }


def _dataset_facts(reader: Reader, dataset_id: str) -> dict[str, Any]:
    training = read_if_there(reader.results / "data" / dataset_id / "training.json") or {}
    test = read_if_there(reader.results / "data" / dataset_id / "test.json") or {}
    notes = [*(training.get("notes") or []), *(test.get("notes") or [])]
    return {**training, "n_test": test.get("n"), "test_sha256": test.get("sha256"), "notes": notes}


def _noise_facts(metrics: pd.DataFrame) -> list[dict[str, Any]]:
    if not len(metrics):
        return []
    groups = metrics.groupby(["dataset", "noise", "noise_rate"], dropna=False, sort=False)["realised_noise_rate"]
    means: Any = groups.mean().items()
    return [
        {"dataset": d, "noise": n, "rate": None if pd.isna(r) else r, "realised": None if pd.isna(m) else float(m)}
        for (d, n, r), m in means
    ]


def label_doubts(grid: Grid, reader: Reader) -> list[dict[str, Any]]:
    """Return what speaks against labels that were given: a row per data set, noise, rate and sentence, each once."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row, _, ran in reader.rows():
        for replicate in ran.said if ran else ():
            said = {key: row.columns[key] for key in ("dataset", "noise", "noise_rate")}
            for doubt in reader.audit(row.cell, replicate["noise_seed"]).get("doubts", []):
                found.setdefault((*said.values(), doubt), {**said, "doubt": str(doubt)})
    return list(found.values())


def estimates(grid: Grid, reader: Reader) -> list[dict[str, Any]]:
    """Return for each estimated T of the grid its mean over the replicates, and what it says of the noise."""
    found: dict[tuple[str, Estimator], list[dict[str, Any]]] = {}
    named: dict[tuple[str, Estimator], dict[str, Any]] = {}
    seen = set()
    for row in grid.rows:
        estimate, estimator = row.cell.estimate, row.cell.method.estimator
        if estimate is None or estimator is None or (estimate.key, estimator) in seen:
            continue
        seen.add((estimate.key, estimator))
        entries = [e for block in grid.blocks(row.cell) for e in reader.estimates(row.cell, block).values()]
        of = (_of_all_splits(row, estimate.key), estimator)
        names = {key: row.columns[key] for key in ("dataset", "noise", "noise_rate", "recipe")}
        spelled = estimator.text.removeprefix("estimated(").removesuffix(")")
        named.setdefault(of, {**names, "estimator": spelled})
        found.setdefault(of, []).extend(entry for entry in entries if entry["transition"] is not None)
    return [{**named[of], **_estimate_facts(known)} for of, known in found.items() if known]


def _of_all_splits(row: Row, key: str) -> str:
    """Return what estimates are gathered by: their own key, or their names where every replicate has its own split."""
    return key if row.cell.labels.dataset.split is None else repr(_place(row))


def _estimate_facts(entries: list[dict[str, Any]]) -> dict[str, Any]:
    rates = [entry["noise_rate"] for entry in entries]
    wrong = [entry["errors"]["mean_total_variation"] for entry in entries if entry["errors"]]
    return {
        "n": len(entries),
        "noise_rate_estimated": float(np.mean(rates)),
        "noise_rate_std": float(np.std(rates, ddof=1)) if len(rates) > 1 else None,
        "error": float(np.mean(wrong)) if wrong else None,
        "by_class": all(entry.get("compared_with") == "asked" for entry in entries),
        "transition": np.mean([entry["transition"] for entry in entries], axis=0).tolist(),
    }


def disagreement(grid: Grid, reader: Reader, metrics: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how far a teacher's predictions on test differ from plain training's, where no true test label is known.

    An entry for each computation: `spread` as examples.spread_of_difference has it.
    """
    unknown = set(metrics["dataset"]) - set(metrics.loc[metrics["test_accuracy"].notna(), "dataset"])
    rows = [row for row in grid.named.values() if row.cell.role == "teacher" and row.columns["dataset"] in unknown]
    plain = {_place(row): row.cell for row in rows if row.columns["method"] == "cross_entropy"}
    pairs = {row.cell.key: (row.cell, plain[_place(row)]) for row in rows if _place(row) in plain}
    spreads = {
        key: spread_of_difference(*(reader.predicted(cell, "test") for cell in pair)) for key, pair in pairs.items()
    }
    return [{"cell": key, "spread": spread} for key, spread in spreads.items() if spread is not None]


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row.columns[key] for key in ("dataset", "noise", "noise_rate", "recipe"))


def environment(reader: Reader) -> dict[str, str]:
    """Return the versions of what the networks were trained with, and of what made the tables."""
    here = {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in VERSIONS}}
    return {
        **{f"tables: {name}": version for name, version in here.items()},
        **{f"training: {key}": ", ".join(sorted(values)) for key, values in reader.trained.items()},
    }


def code_version() -> str:
    """Return the package's version and a digest of its source as it stands."""
    return f"{_package_version()}+{source_digest()}"


def _package_version() -> str:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


def missing(reader: Reader) -> list[dict[str, Any]]:
    """Return the cells and blocks that are not there yet, with the stage they wait for."""
    absent = []
    for row, block, found in reader.rows():
        if found is None:
            folder = reader.results / row.cell.key / block
            trained = (folder / RUN).exists()
            absent.append({**row.columns, "block": block, "why": "not evaluated yet" if trained else "not trained yet"})
    return absent


def run(job: CollectionJob, inputs: Files, outputs: Files) -> None:
    """Put every network of a grid into one table, a row each, in a fixed order."""
    collect(load_grid(inputs["config"]), Path(outputs["metrics"]).parent)
