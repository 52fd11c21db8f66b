"""The gold sets of a grid: which networks got which known test example right, and their accuracy on these."""

import pandas as pd

from smearlab.evaluation.gold import known_test, nothing
from smearlab.grid.cells import Grid
from smearlab.stages._ran import Reader
from smearlab.statistics.drawn import hits_of
from smearlab.store.tables import FINISHED


def gold_table(grid: Grid, reader: Reader) -> pd.DataFrame:
    """Return who got which test example right, of data sets of which only some test examples have a true label."""
    known = {}
    for dataset in grid.datasets.values():
        folder = reader.results / "data" / dataset.id
        if (folder / "test.npz").is_file() and (folder / "training.npz").is_file():
            known[dataset.id] = known_test(folder, dataset.gold_table, list(dataset.class_names))
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
