"""Replicates that redraw the split: replicate r is trained, stopped and tested on the split that seed + r draws."""

from dataclasses import replace

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.grid.definitions import Dataset
from smearlab.grid.schema import Config

REDRAWN = "redrawn"


def splits_of(dataset: Dataset, config: Config) -> list[Dataset]:
    """Return the splits of a data set, one a replicate where the config redraws them; else the data set as it is.

    Each is a data set of its own in paths, the first of them the one that the config names. UserError where the test
    part is the data's own, so that nothing of it can be drawn, and where true labels are known of some examples only.
    """
    if config.replicates.splits != REDRAWN:
        return [dataset]
    where = f"config: datasets.{dataset.name}: replicates.splits: redrawn"
    outside, every = registry.load("datasets", dataset.kind).sizes(**dataset.options)
    if outside != every:
        said = f"{every - outside} examples are the test part of the data itself"
        raise UserError(f"{where} has no test part to draw: {said}; use splits: fixed")
    if dataset.gold or dataset.has_some_clean_labels != dataset.has_clean_labels:
        raise UserError(f"{where} needs true labels of all examples or of none; use splits: fixed")
    first = dataset.settings["split_seed"]
    return [
        replace(dataset, settings={**dataset.settings, "split_seed": first + r}, split=r)
        for r in range(config.replicates.blocks)
    ]


def check_apart(datasets: list[Dataset]) -> None:
    """UserError where a split is one replicate's in one data set and another's in the next."""
    seen: dict[str, Dataset] = {}
    for dataset in datasets:
        other = seen.setdefault(dataset.identity, dataset)
        if other.split != dataset.split:
            both = f"{other.name} and {dataset.name} share splits as different replicates"
            raise UserError(f"config: datasets: {both}; set their split_seed equal, or further apart")
