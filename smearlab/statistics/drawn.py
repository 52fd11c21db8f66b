"""Which examples of a gold set the networks of a cell got right."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smearlab.core.drawn import Drawn


@dataclass(frozen=True)
class Hits:
    """Which drawn examples each replicate (noise seed, training seed) of a cell got right, bool (n,)."""

    by_replicate: Mapping[tuple[int, int], np.ndarray]
    drawn: Drawn

    @property
    def n(self) -> int:
        """The number of examples."""
        return len(self.drawn.stratum)


def hits_of(gold: pd.DataFrame) -> dict[str, Hits]:
    """Return the hits of each computation of gold.parquet: cell, noise_seed, seed, example, stratum, of, right."""
    found = {}
    for cell, rows in gold.groupby("cell", sort=False) if len(gold) else ():
        first = rows[rows["noise_seed"].eq(rows["noise_seed"].iloc[0]) & rows["seed"].eq(rows["seed"].iloc[0])]
        names, stratum = np.unique(first["stratum"], return_inverse=True)
        sizes = first.groupby("stratum")["of"].first().reindex(names).to_numpy()
        replicates = rows.groupby(["noise_seed", "seed"], sort=False)["right"]
        rights: dict[tuple[int, int], np.ndarray] = {key: v.to_numpy(bool) for key, v in replicates}  # type: ignore
        found[str(cell)] = Hits(rights, Drawn(stratum, sizes))
    return found
