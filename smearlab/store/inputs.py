"""What a job on a block reads: the data set and the observed labels of its replicates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from smearlab.core.jobs import Replicate
from smearlab.store.dataset import TrainingData, read_training
from smearlab.store.labels import read_labels

Files = Mapping[str, Any]


def read_inputs(
    replicates: Sequence[Replicate], inputs: Files
) -> tuple[TrainingData, list[np.ndarray], list[dict[str, Any]]]:
    """Return the data set, and for each replicate its observed labels and their audit; all hashes are checked."""
    training = read_training([inputs["training"], inputs["manifest"]])
    by_seed = {}
    for labels, audit in zip(paths_of(inputs["labels"]), paths_of(inputs["audits"]), strict=True):
        observed, record = read_labels(labels, audit, inputs["manifest"])
        by_seed[record["noise_seed"]] = (observed, record)
    pairs = [by_seed[replicate.noise_seed] for replicate in replicates]
    return training, [observed for observed, _ in pairs], [record for _, record in pairs]


def paths_of(value: str | list[str]) -> list[str]:
    """Return the paths of a job's input that may be one file or several."""
    return [value] if isinstance(value, str) else list(value)
