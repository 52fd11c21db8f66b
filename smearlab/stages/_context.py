"""What the tables say around the numbers, context.json: config, data, estimates, versions, and what is missing."""

import importlib.metadata
import platform
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core.digest import ROOT, source_digest
from smearlab.grid.cells import Grid, Row
from smearlab.grid.dag import RUN
from smearlab.grid.estimator import Estimator
from smearlab.stages._ran import Reader, read_if_there
from smearlab.store.examples import spread_of_difference

VERSIONS = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


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
        **({"doubts": doubts} if (doubts := label_doubts(reader)) else {}),
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


def label_doubts(reader: Reader) -> list[dict[str, Any]]:
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
