"""The test examples of a data set of which only some have a known true label, and who got them right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smearlab.core.drawn import Drawn
from smearlab.core.errors import UserError
from smearlab.store.dataset import TRAIN
from smearlab.store.examples import Predicted
from smearlab.store.files import read_sealed
from smearlab.store.gold import Entry, Example, check_gold, read_gold, strata
from smearlab.store.npz import read_npz

ARRAYS = ("labels", "noisy_labels", "source_index", "part")
COLUMNS = {"cell": "str", "noise_seed": "int64", "seed": "int64", "example": "int64", "stratum": "int64", "of": "int64"}


@dataclass(frozen=True)
class Known:
    """Examples of one part with a known true label, where not all have one.

    position int (n,) in the part's arrays, row int (n,) in the data set's own order, label int (n,), stratum int
    (n,) and the sizes int (H,) of the strata.
    """

    position: np.ndarray
    row: np.ndarray
    label: np.ndarray
    stratum: np.ndarray
    sizes: np.ndarray

    def rights(self, cell: str, predicted: Predicted) -> pd.DataFrame:
        """Return a row per replicate and example: cell, seeds, example (its row), stratum, its size, right."""
        n, r = len(self.row), len(predicted.replicates)
        seeds = np.array(predicted.replicates, dtype=np.int64).reshape(r, 2)
        right = predicted.classes[:, self.position] == self.label if r else np.zeros((0, n), dtype=bool)
        return pd.DataFrame(
            {
                "cell": cell,
                "noise_seed": np.repeat(seeds[:, 0], n),
                "seed": np.repeat(seeds[:, 1], n),
                "example": np.tile(self.row, r),
                "stratum": np.tile(self.stratum, r),
                "of": np.tile(self.sizes[self.stratum], r),
                "right": right.reshape(-1),
            }
        )


def nothing() -> pd.DataFrame:
    """Return the table of a grid without a gold set."""
    return pd.DataFrame(
        {**{name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()}, "right": pd.Series(dtype=bool)}
    )


def examples_of(folder: str | Path) -> dict[int, Example]:
    """Return by row what a data set's folder says of its examples."""
    found: dict[int, Example] = {}
    for stem in ("training", "test"):
        arrays = read_npz(Path(folder, f"{stem}.npz"), ARRAYS)
        parts = _parts(arrays)
        given = arrays.get("noisy_labels", np.full(len(parts), -1))
        rows = zip(arrays["source_index"].tolist(), parts, given.tolist(), strict=True)
        found |= {row: Example(part, label) for row, part, label in rows}
    return found


def _parts(arrays: Mapping[str, np.ndarray]) -> list[str]:
    if "part" not in arrays:
        return ["test"] * len(arrays["source_index"])
    return ["validation" if value else "train" for value in arrays["part"].tolist()]


def filled_in(path: str, folder: str | Path, class_names: list[str]) -> list[Entry]:
    """Return the entries of a gold table that have a label; UserError where it does not fit the data set."""
    entries = read_gold(path, class_names)
    check_gold(path, entries, examples_of(folder), class_names)
    return [entry for entry in entries if entry.label >= 0]


def known_training(inputs: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the true labels int (n,) of the train part, -1 where unknown, and what each known one stands for (n,).

    inputs: `training` and `manifest` of a data set, and `gold` where it has a table. UserError where none is known.
    """
    arrays, meta = read_npz(inputs["training"], ARRAYS), read_sealed(inputs["manifest"], "class_names")
    mine = arrays["part"] == TRAIN
    labels, rows = arrays["labels"][mine].copy(), arrays["source_index"][mine]
    weights = np.ones(len(labels))
    if (labels < 0).all() and "gold" in inputs:
        known = _known(rows, inputs["gold"], Path(inputs["training"]).parent, meta["class_names"])
        if known is not None:
            labels[known.position] = known.label
            weights[known.position] = Drawn(known.stratum, known.sizes).weights
    if (labels < 0).all():
        raise UserError(
            f"{inputs['training']}: no true label of a training example is known, which `gold` estimates by"
        )
    return labels, weights


def known_test(folder: str | Path, gold: str | None, class_names: list[str]) -> Known | None:
    """Return the test examples of known true label; None where all or none have one.

    gold: a table of them, which counts where the data set itself knows no true test label; else those of `labels`
    that are not -1, taken for a draw from the whole part.
    """
    arrays = read_npz(Path(folder, "test.npz"), ARRAYS)
    labels, rows = arrays["labels"], arrays["source_index"]
    of_its_own = np.flatnonzero(labels >= 0)
    if len(of_its_own):
        n = len(of_its_own)
        whole = np.zeros(n, dtype=np.int64), np.array([len(labels)], dtype=np.int64)
        return None if n == len(labels) else Known(of_its_own, rows[of_its_own], labels[of_its_own], *whole)
    return _known(rows, gold, folder, class_names) if gold else None


def _known(rows: np.ndarray, gold: str, folder: str | Path, class_names: list[str]) -> Known | None:
    """Return the examples of a part, in these rows, that a table knows; None for none."""
    place: dict[Any, int] = {row: i for i, row in enumerate(rows.tolist())}
    entries = [entry for entry in filled_in(gold, folder, class_names) if entry.row in place]
    if not entries:
        return None
    taken = np.array([entry.row for entry in entries], dtype=np.int64)
    position = np.array([place[row] for row in taken.tolist()], dtype=np.int64)
    return Known(position, taken, np.array([entry.label for entry in entries]), *strata(entries, len(rows)))
