"""Which test examples each network gets right, by computation: a bit a network and example."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smearlab.store.files import write_npz
from smearlab.store.npz import read_npz

SEEDS = ("noise_seed", "seed")


@dataclass(frozen=True)
class Correct:
    """Truth values (R, N) and the R (noise seed, training seed) pairs of the rows."""

    replicates: list[tuple[int, int]]
    right: np.ndarray


def read_right(paths: Iterable[str | Path]) -> Correct | None:
    """Read from the examples.npz of a cell's blocks which true test labels are predicted; None where none is known.

    A network without outputs is left out. Right is a margin of the true label above 0.
    """
    replicates, right = [], []
    for path in paths:
        arrays = read_npz(path, ("test_margin", *SEEDS))
        known = ~np.isnan(arrays["test_margin"]).any(axis=1)
        right.append(arrays["test_margin"][known] > 0)
        replicates += [(int(n), int(s)) for n, s in zip(*(arrays[key][known] for key in SEEDS), strict=True)]
    return Correct(replicates, np.concatenate(right)) if replicates else None


def write_correct(path: str | Path, found: Mapping[str, Correct]) -> None:
    """Write the table: for the k-th cell `k_right` (packed bits), `k_seeds` (R, 2) and `k_n` examples."""
    arrays: dict[str, np.ndarray] = {"cells": np.array(list(found), dtype=np.str_)}
    for k, one in enumerate(found.values()):
        arrays[f"{k}_right"] = np.packbits(one.right, axis=1)
        arrays[f"{k}_seeds"] = np.array(one.replicates, np.int64)
        arrays[f"{k}_n"] = np.array(one.right.shape[1])
    write_npz(path, arrays, compress=True)


def read_correct(path: str | Path) -> dict[str, Correct]:
    """Read the table back; nothing where it is absent."""
    if not Path(path).is_file():
        return {}
    cells = read_npz(path, ("cells",))["cells"]
    arrays = read_npz(path, [f"{k}_{what}" for k in range(len(cells)) for what in ("right", "seeds", "n")])
    return {
        str(cell): Correct(
            [(int(n), int(s)) for n, s in arrays[f"{k}_seeds"]],
            np.unpackbits(arrays[f"{k}_right"], axis=1, count=int(arrays[f"{k}_n"])).astype(bool),
        )
        for k, cell in enumerate(cells)
    }
