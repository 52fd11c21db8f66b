"""The tables of a grid, from whatever its cells have written so far."""

import importlib.metadata
import os
import platform
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns
from smearlab.core.digest import ROOT, source_digest
from smearlab.core.jobs import CollectionJob, Replicate
from smearlab.evaluation.gold import known_test, nothing
from smearlab.grid.cells import RESULTS, Cell, Grid, Row, load_grid
from smearlab.grid.dag import EXAMPLES, HISTORY, METRICS, RUN
from smearlab.grid.estimator import Estimator
from smearlab.grid.jobs import evaluation_code, training_code, training_job
from smearlab.stages.label_quality import annotators, suspects_of
from smearlab.statistics.drawn import hits_of
from smearlab.store.benchmarks import seconds_taken
from smearlab.store.examples import Predicted, read_predicted, spread_of_difference
from smearlab.store.files import check_files, damaged, read_sealed, sha256_file, write_bytes, write_sealed, write_text
from smearlab.store.inputs import Files
from smearlab.store.tables import FINISHED
from smearlab.training.correction import read_estimates, transition_facts

TYPES = {columns.TEXT: "string", columns.NUMBER: "Float64", columns.WHOLE: "Int64", columns.FLAG: "boolean"}
SAID = (*columns.names(columns.METRICS, columns.MEASURED), "noise_seed", "seed", "status", "reason")  # by a run
TABLES = ("metrics.parquet", "metrics.csv", "history.parquet", "curves.parquet", "gold.parquet", "suspects.csv")
REPLICATE = {"noise_seed", "seed", "status"}
MEASUREMENT = REPLICATE | {"metrics", "curves"}
VERSIONS = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def collect(grid: Grid, out: Path, *, results: Path = Path(RESULTS)) -> None:
    """Write metrics.parquet, the tables of dag.COLLECTED of a grid into `out`.

    Cells that are not there yet are listed in context.json as missing, which also holds the hashes of the others.
    Nothing is computed here. UserError for a file that is not the one that was written.
    """
    reader = Reader(grid, results)
    gold = gold_table(grid, reader)
    metrics = with_gold(metrics_table(grid, reader), gold)
    write_parquet(out / "gold.parquet", gold)
    found, said = suspects_of(grid, results)
    write_text(out / "suspects.csv", found.to_csv(index=False, lineterminator="\n"))
    write_parquet(out / "metrics.parquet", metrics)
    write_text(out / "metrics.csv", metrics.to_csv(index=False, lineterminator="\n"))
    write_parquet(out / "history.parquet", history_table(grid, reader))
    write_parquet(out / "curves.parquet", curves_table(grid, reader))
    of_labels = {"suspects": said, "annotators": annotators(grid, results)}
    of_labels = {key: value for key, value in of_labels.items() if value}
    hashes = {name: sha256_file(out / name) for name in TABLES}
    write_sealed(out / "context.json", {**context(grid, reader, metrics), **of_labels, "sha256": hashes})


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a table atomically."""
    write_bytes(path, frame.to_parquet(index=False))


class Reader:
    """What the blocks of a grid have written, read once each; None where it is missing."""

    def __init__(self, grid: Grid, results: Path) -> None:
        self.grid = grid
        self.results = results
        self._blocks: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._audits: dict[str, Any] = {}

    def block(self, cell: Cell, block: str) -> dict[str, Any] | None:
        """Return the account and the metrics of a block as {"run": …, "metrics": …, "folder": …}."""
        key = (cell.key, block)
        if key not in self._blocks:
            folder = self.results / cell.key / block
            self._blocks[key] = _read_block(folder)
        return self._blocks[key]

    def audit(self, cell: Cell, noise_seed: int) -> dict[str, Any]:
        """Return the audit of the labels a replicate saw; empty if it is missing."""
        path = self.results / "labels" / cell.labels.path / f"seed={noise_seed}" / "audit.json"
        if str(path) not in self._audits:
            self._audits[str(path)] = _read_if_there(path) or {}
        return self._audits[str(path)]

    def estimates(self, cell: Cell, block: str) -> dict[Replicate, dict[str, Any]]:
        """Return the estimated T of each replicate; empty where none is asked for or there yet."""
        paths = [self.results.parent / path for path in cell.estimate_files(block)]
        return read_estimates([str(path) for path in paths if path.exists()])

    @cache  # noqa: B019 (a reader lives as long as one collection)
    def predicted(self, cell: Cell, part: str) -> Predicted:
        """Return the classes that the networks of a cell predicted of a part, as far as its blocks are there."""
        blocks = [name for name in self.grid.blocks(cell) if self.block(cell, name) is not None]
        files = [self.results / cell.key / name / EXAMPLES for name in blocks]
        return read_predicted([f for f in files if f.is_file()], part, cell.labels.dataset.n_classes)

    def rows(self) -> list[tuple[Row, str, dict[str, Any] | None]]:
        """Return (row, block, what it wrote) in the fixed order of the grid."""
        return [
            (row, name, self.block(row.cell, name)) for row in self.grid.rows for name in self.grid.blocks(row.cell)
        ]


def _read_if_there(path: Path, *keys: str) -> dict[str, Any] | None:
    if not path.is_file() and os.path.lexists(path):  # a folder or a pipe is not the same as not there yet
        raise damaged(path, "is no plain file")
    return read_sealed(path, *keys) if path.is_file() else None


def _read_block(folder: Path) -> dict[str, Any] | None:
    run = _read_if_there(folder / RUN, "replicates", "code")
    metrics = _read_if_there(folder / METRICS, "replicates", "code")
    if run is None or metrics is None or not (folder / HISTORY).exists():
        return None
    if "history_sha256" in run:
        check_files(folder, {HISTORY: run["history_sha256"]}, RUN)
    if _seeds(folder / RUN, run, REPLICATE) != _seeds(folder / METRICS, metrics, MEASUREMENT):
        raise damaged(folder / METRICS, f"speaks of other replicates than {RUN}")
    return {"run": run, "metrics": metrics, "folder": folder}


def _seeds(path: Path, said: dict[str, Any], keys: set[str]) -> list[tuple[int, int]]:
    entries = said["replicates"]
    if not isinstance(entries, list) or any(not isinstance(e, dict) or not keys <= e.keys() for e in entries):
        raise damaged(path, f"has a replicate without {', '.join(sorted(keys))}")
    return [(entry["noise_seed"], entry["seed"]) for entry in entries]


def metrics_table(grid: Grid, reader: Reader) -> pd.DataFrame:
    """Return a row per named cell and replicate; columns that do not apply are null."""
    records = []
    for row, block, found in reader.rows():
        if found is None:
            continue
        job = training_job(row.cell, block)
        method = row.naming.method if row.cell.beta != 1 else row.cell.method  # at beta 1 no label loss is computed
        named = replace(job, method=method)
        estimates = reader.estimates(row.cell, block)
        accepted = is_accepted(reader, row.cell, block)
        for run, measured in zip(found["run"]["replicates"], found["metrics"]["replicates"], strict=True):
            audit = reader.audit(row.cell, run["noise_seed"])
            records.append(
                {
                    **row.columns,
                    "realised_noise_rate": audit.get("realised_noise_rate"),
                    **{key: run.get(key) for key in SAID},
                    **measured["metrics"],
                    "status": measured["status"],  # a finished network may turn out not to be finite
                    **transition_facts(named, audit, estimates.get(Replicate(run["noise_seed"], run["seed"]))),
                    "accepted": accepted,
                    "cell": row.cell.key,
                }
            )
    return _typed(pd.DataFrame(records))


def is_accepted(reader: Reader, cell: Cell, block: str) -> bool:
    """Whether earlier code trained or evaluated a block, or its teacher's, and the user took it as it is."""
    found = reader.block(cell, block)
    if found is None or (cell.teacher is not None and is_accepted(reader, cell.teacher, block)):
        return found is not None
    made = (found["run"]["code"], found["metrics"]["code"])
    return made != (training_code(cell), evaluation_code(cell))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with all columns of the table first, each of its type; what else was measured is a number."""
    further = sorted(set(frame.columns) - {column.name for column in columns.METRICS})
    frame = frame.reindex(columns=[*columns.names(columns.METRICS), *further])
    types = {column.name: TYPES[column.type] for column in columns.METRICS}
    return frame.astype({name: types.get(name, TYPES[columns.NUMBER]) for name in frame.columns})


def gold_table(grid: Grid, reader: Reader) -> pd.DataFrame:
    """Return who got which test example right, of data sets of which only some test examples have a true label."""
    known = {}
    for dataset in grid.datasets.values():
        folder = reader.results / "data" / dataset.id
        if (folder / "test.npz").is_file() and (folder / "training.npz").is_file():
            known[dataset.id] = known_test(folder, dataset.gold, list(dataset.class_names))
    frames = [
        found.rights(cell.key, reader.predicted(cell, "test"))
        for cell in grid.cells.values()
        if (found := known.get(cell.labels.dataset.id)) is not None
    ]
    return pd.concat(frames, ignore_index=True) if frames else nothing()


def with_gold(metrics: pd.DataFrame, gold: pd.DataFrame) -> pd.DataFrame:
    """Return the networks with their accuracy on the gold examples, weighted as these were drawn, as test accuracy."""
    hits = hits_of(gold)
    for i, row in metrics[metrics["cell"].isin(hits) & (metrics["status"] == FINISHED)].iterrows():
        known = hits[row["cell"]]
        right = known.by_replicate.get((int(row["noise_seed"]), int(row["seed"])))
        if right is not None:
            metrics.loc[i, "test_accuracy"] = float(known.drawn.weights @ right)
    return metrics


def history_table(grid: Grid, reader: Reader) -> pd.DataFrame:
    """Return a row per computation, replicate and epoch; `cell` joins it to the metrics."""
    frames = []
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            found = reader.block(cell, block)
            if found is not None:
                frames.append(pd.read_csv(found["folder"] / HISTORY).assign(cell=cell.key))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"cell": pd.Series(dtype="string")})


def curves_table(grid: Grid, reader: Reader) -> pd.DataFrame:
    """Return every curve in long form: cell, noise_seed, seed, curve, point, quantity, value."""
    long: dict[str, list[Any]] = {k: [] for k in ("cell", "noise_seed", "seed", "curve", "point", "quantity", "value")}
    for cell in grid.cells.values():
        for block in grid.blocks(cell):
            found = reader.block(cell, block)
            for replicate in found["metrics"]["replicates"] if found else []:
                for curve, points in replicate["curves"].items():
                    _append_curve(long, cell.key, replicate, curve, points)
    return pd.DataFrame(long)


def _append_curve(
    long: dict[str, list[Any]], cell: str, replicate: dict[str, Any], curve: str, points: list[dict[str, Any]]
) -> None:
    for i, point in enumerate(points):
        for quantity, value in point.items():
            values = (cell, replicate["noise_seed"], replicate["seed"], curve, i, quantity, _number(value))
            for column, item in zip(long.values(), values, strict=True):
                column.append(item)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def context(grid: Grid, reader: Reader, metrics: pd.DataFrame) -> dict[str, Any]:
    """Return what the report says around the numbers: config, data, cost, environment, what is missing."""
    claims = _read_if_there(reader.results / "theory" / "claims.json", "claims")
    return {
        "name": grid.name,
        "title": grid.config.title or grid.name,
        "config": grid.config.model_dump(mode="json"),
        "datasets": {dataset.name: _dataset_facts(reader, dataset.id) for dataset in grid.datasets.values()},
        "noises": _noise_facts(metrics),
        "estimates": estimates(grid, reader),
        **({"disagreement": apart} if (apart := disagreement(grid, reader, metrics)) else {}),
        "cost": cost(grid, reader),
        "environment": environment(reader),
        "code_version": code_version(),
        "cells": [{**row.columns, "cell": row.cell.key} for row in grid.rows],
        "missing": missing(reader),
        "accepted": int(metrics["accepted"].sum()) if len(metrics) else 0,
        **({"doubts": doubts} if (doubts := label_doubts(grid, reader)) else {}),
        **({"theory": claims["claims"]} if claims is not None else {}),
    }


def _dataset_facts(reader: Reader, dataset_id: str) -> dict[str, Any]:
    training = _read_if_there(reader.results / "data" / dataset_id / "training.json") or {}
    test = _read_if_there(reader.results / "data" / dataset_id / "test.json") or {}
    return {**training, "n_test": test.get("n"), "test_sha256": test.get("sha256")}


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
        for replicate in ran["run"]["replicates"] if ran else []:
            said = {key: row.columns[key] for key in ("dataset", "noise", "noise_rate")}
            for doubt in reader.audit(row.cell, replicate["noise_seed"]).get("doubts", []):
                found.setdefault((*said.values(), doubt), {**said, "doubt": str(doubt)})
    return list(found.values())


def estimates(grid: Grid, reader: Reader) -> list[dict[str, Any]]:
    """Return for each estimated T of the grid its mean over the replicates, and what it says of the noise."""
    found: dict[tuple[str, Estimator], dict[str, Any]] = {}
    for row in grid.rows:
        estimate, estimator = row.cell.estimate, row.cell.method.estimator
        if estimate is None or estimator is None or (estimate.key, estimator) in found:
            continue
        entries = [e for block in grid.blocks(row.cell) for e in reader.estimates(row.cell, block).values()]
        known = [entry for entry in entries if entry["transition"] is not None]
        if known:
            names = {key: row.columns[key] for key in ("dataset", "noise", "noise_rate", "recipe")}
            spelled = estimator.text.removeprefix("estimated(").removesuffix(")")
            found[estimate.key, estimator] = {**names, "estimator": spelled, **_estimate_facts(known)}
    return list(found.values())


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
    rows = [row for row in grid.rows if row.cell.role == "teacher" and row.columns["dataset"] in unknown]
    plain = {_place(row): row.cell for row in rows if row.columns["method"] == "cross_entropy"}
    pairs = {row.cell.key: (row.cell, plain[_place(row)]) for row in rows if _place(row) in plain}
    spreads = {
        key: spread_of_difference(*(reader.predicted(cell, "test") for cell in pair)) for key, pair in pairs.items()
    }
    return [{"cell": key, "spread": spread} for key, spread in spreads.items() if spread is not None]


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row.columns[key] for key in ("dataset", "noise", "noise_rate", "recipe"))


def cost(grid: Grid, reader: Reader) -> list[dict[str, Any]]:
    """Return jobs and wall time per stage, read from the jobs' benchmark files."""
    logs = reader.results.parent / "logs"
    stages: dict[str, list[Path]] = {
        "data": [logs / "data" / f"{dataset}.tsv" for dataset in grid.datasets],
        "labels": [p for labels in grid.labels.values() for p in (logs / "labels" / labels.path).glob("*.tsv")],
        "transition estimates": [logs / e.key / f"{b}.tsv" for e in grid.estimates.values() for b in grid.blocks(e)],
    }
    for role in ("teacher", "student"):
        cells = [cell for cell in grid.cells.values() if cell.role == role]
        for stage, base in ((f"{role}s", logs), (f"evaluation of {role}s", logs / "evaluation")):
            stages[stage] = [base / cell.key / f"{block}.tsv" for cell in cells for block in grid.blocks(cell)]
    costs = []
    for stage, files in stages.items():
        seconds = [s for s in map(seconds_taken, files) if s is not None]
        if files:
            costs.append({"stage": stage, "jobs": len(seconds), "of": len(files), "seconds": sum(seconds)})
    return costs


def environment(reader: Reader) -> dict[str, str]:
    """Return what the networks were trained with and on, and the versions that made the tables."""
    here = {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in VERSIONS}}
    trained: dict[str, set[str]] = {}
    for _, _, found in reader.rows():
        for key, value in (found["run"].get("environment", {}) if found else {}).items():
            trained.setdefault(key, set()).add(str(value))
    return {
        **{f"tables: {name}": version for name, version in here.items()},
        **{f"training: {key}": ", ".join(sorted(values)) for key, values in trained.items()},
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
