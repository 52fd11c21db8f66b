"""What a grid says of single labels: the suspects of each noise, pictures of them, and how its annotators agree."""

import base64
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core import columns, registry
from smearlab.evaluation import suspects
from smearlab.evaluation.annotators import agreement
from smearlab.grid.cells import Estimate, Grid, Labels
from smearlab.grid.definitions import CLEAN, Dataset
from smearlab.store.dataset import TRAIN
from smearlab.store.npz import read_npz
from smearlab.store.pictures import sheet

MOST_ROWS = 5000  # of one noise, the most suspect: nobody looks at more
MOST_PAIRS, MOST_PICTURES, TILE = 4, 8, 40
MOST_SHEETS = 24  # on the page, over all noises
CONDITION = ("dataset", "noise", "noise_rate", "recipe")
COLUMNS = columns.names(columns.SUSPECTS)


def suspects_of(grid: Grid, results: Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Return the suspects of every noise with out-of-sample probabilities, and a summary of each with its pictures.

    A summary: the condition, the noise's kind, what suspects.against_truth says, n_labels and of them n_doubted (that
    the networks' mean contradicts), and pairs: given, predicted, count, png (base64).
    """
    frames: list[pd.DataFrame] = []
    said: list[dict[str, Any]] = []
    for estimate, condition in _conditions(grid).items():
        found = _scored(grid, estimate, results)
        if found is None:
            continue
        frames.append(found.head(MOST_ROWS).assign(**condition)[list(COLUMNS)])
        doubted = int((found["given"] != found["predicted"]).sum())
        sheets = (
            _sheets(found, estimate, results)
            if len([pair for entry in said for pair in entry["pairs"]]) < MOST_SHEETS
            else []
        )
        noise = estimate.labels.noise
        kind = {"kind": noise.name if noise is CLEAN else noise.kind}
        counts = {"n_labels": len(found), "n_doubted": doubted}
        said.append({**condition, **kind, **suspects.against_truth(found), **counts, "pairs": sheets})
    return (pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))), said


def by_noise(said: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the summaries as a table: a row for each noise, how suspect its labels are and how often rightly so."""
    frame = pd.DataFrame(said, columns=list(columns.names(columns.SUSPECTS_BY_NOISE)))
    return frame.assign(share_wrong=frame["n_wrong"] / frame["n"].where(frame["n"] > 0))


def _conditions(grid: Grid) -> dict[Estimate, dict[str, Any]]:
    found: dict[Estimate, dict[str, Any]] = {}
    for row in grid.named.values():
        if row.cell.estimate is not None:
            found.setdefault(row.cell.estimate, {key: row.columns[key] for key in CONDITION})
    return found


def _scored(grid: Grid, estimate: Estimate, results: Path) -> pd.DataFrame | None:
    files = [results.parent / estimate.folder(block) / "probabilities.npz" for block in grid.blocks(estimate)]
    blocks = [read_npz(path, ("observed", "probabilities")) for path in files if path.is_file()]
    if not blocks:
        return None
    probabilities = np.concatenate([block["probabilities"] for block in blocks])
    there = np.isfinite(probabilities).all(axis=(1, 2))
    if not there.any():
        return None
    dataset = estimate.labels.dataset
    arrays = read_npz(_training(dataset, results), ("labels", "part", "source_index"))
    mine = arrays["part"] == TRAIN
    rows, true = arrays["source_index"][mine], arrays["labels"][mine]
    observed = np.concatenate([block["observed"] for block in blocks])[there]
    return suspects.scored(rows, observed, probabilities[there], true, dataset.class_names, _names(dataset))


def _training(dataset: Dataset, results: Path) -> Path:
    return results / "data" / dataset.id / "training.npz"


def _names(dataset: Dataset) -> list[str]:
    module = registry.load("datasets", dataset.kind)
    return list(module.example_names(**dataset.options)) if hasattr(module, "example_names") else []


def _sheets(found: pd.DataFrame, estimate: Estimate, results: Path) -> list[dict[str, Any]]:
    """Return a small sheet of pictures for each of the most frequent pairs of label given and predicted class."""
    arrays = read_npz(_training(estimate.labels.dataset, results), ("images", "source_index"))
    if arrays["images"].ndim != 4:
        return []  # features have no picture
    place = {row: i for i, row in enumerate(arrays["source_index"].tolist())}
    sheets = []
    for given, predicted, rows in suspects.pairs(found, MOST_PAIRS):
        shown = rows["row"].head(MOST_PICTURES).tolist()
        picture = sheet(arrays["images"][[place[row] for row in shown]], [str(r) for r in shown], MOST_PICTURES, TILE)
        png = base64.b64encode(picture).decode()
        sheets.append({"given": given, "predicted": predicted, "count": len(rows), "png": png})
    return sheets


def annotators(grid: Grid, results: Path) -> list[dict[str, Any]]:
    """Return how any two given (not drawn) sets of labels of one data set agree on its train part."""
    given: dict[str, dict[str, Labels]] = {}
    for row in grid.named.values():
        labels = row.cell.labels
        if labels.rate != 0 and not labels.noise.draws:
            given.setdefault(labels.dataset.id, {}).setdefault(row.columns["noise"], labels)
    return [
        {"dataset": one[1].dataset.name, "one": one[0], "other": other[0], **found}
        for sets in given.values()
        for one, other in combinations(sets.items(), 2)
        if (found := _agreement(one[1], other[1], results)) is not None
    ]


def _agreement(one: Labels, other: Labels, results: Path) -> dict[str, float | int | None] | None:
    files = [results.parent / labels.folder(0) / "labels.npz" for labels in (one, other)]
    training = _training(one.dataset, results)
    if not all(path.is_file() for path in (*files, training)):
        return None
    mine = read_npz(training, ("part",))["part"] == TRAIN
    return agreement(*(read_npz(path, ("observed",))["observed"][mine] for path in files))
