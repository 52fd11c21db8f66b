"""Cleaned and down-weighted labels of a finished grid as CSV, from its out-of-sample probabilities."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import Replicate
from smearlab.grid.cells import RESULTS, Estimate, Grid
from smearlab.grid.definitions import Dataset
from smearlab.store.dataset import TRAIN, TrainingData, read_training
from smearlab.store.files import damaged, read_sealed, sha256_file, write_text
from smearlab.store.npz import read_npz


def write_labels(grid: Grid, out: str | None = None) -> Iterator[str]:
    """Write a CSV for the labels of each noise and noise seed; yield its path, and what it does where that is known.

    UserError for a grid that has no T estimated, whose networks would be the ones to ask.
    """
    from smearlab.export.relabel import relabel

    found = _by_labels(grid)
    if not found:
        raise UserError(
            f"{grid.name}: has no out-of-sample probabilities; a method with an estimated T makes them, "
            "e.g. {name: forward, transition: estimated(confident_joint)}"
        )
    for (path, seed), probabilities in found.items():
        labels = grid.labels[path]
        training = read_training(f"{RESULTS}/data/{labels.dataset.id}")
        train = training.part == TRAIN
        made = relabel(_observed(labels.folder(seed))[train], np.stack(probabilities))
        folder = Path(out) if out else Path("exports") / grid.name
        target = folder / "-".join(("labels", *path.split("/"), f"seed={seed}.csv"))
        examples = _examples(labels.dataset, training)[train]
        frame = made.frame(list(labels.dataset.class_names), examples)
        write_text(target, frame.to_csv(index=False, lineterminator="\n"))
        yield f"{target}{_said(made.wrong(training.labels[train]))}"


def _by_labels(grid: Grid) -> dict[tuple[str, int], list[np.ndarray]]:
    """Return the probabilities (n, L) of each network of the train part, by labels and noise seed."""
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for estimate in grid.estimates.values():
        for block in grid.blocks(estimate):
            for replicate, probabilities in _of_block(estimate, block):
                found.setdefault((estimate.labels.path, replicate.noise_seed), []).append(probabilities)
    return found


def _of_block(estimate: Estimate, block: str) -> Iterator[tuple[Replicate, np.ndarray]]:
    folder = Path(estimate.folder(block))
    if not (folder / "run.json").is_file():
        return
    run = read_sealed(folder / "run.json", "replicates", "probabilities_sha256")
    file = folder / "probabilities.npz"
    if not file.is_file() or sha256_file(file) != run["probabilities_sha256"]:
        raise damaged(file, "is missing or not the one that run.json describes")
    arrays = read_npz(file, ["probabilities"])["probabilities"]
    for entry, probabilities in zip(run["replicates"], arrays, strict=True):
        if entry["status"] != "diverged":
            yield Replicate(entry["noise_seed"], entry["seed"]), probabilities


def _observed(folder: str) -> np.ndarray:
    return read_npz(f"{folder}/labels.npz", ["observed"])["observed"]


def _examples(dataset: Dataset, training: TrainingData) -> np.ndarray:
    """Return the name of each example, where the data set has names, else its place in the whole data set."""
    module = registry.load("datasets", dataset.kind)
    if not hasattr(module, "example_names"):
        return training.source_index
    return np.array(module.example_names(**dataset.options), dtype=object)[training.source_index]


def _said(wrong: tuple[int, int, int]) -> str:
    known, before, after = wrong
    return (
        f": {before / known:.1%} of {known} known labels are wrong, {after / known:.1%} when cleaned" if known else ""
    )
