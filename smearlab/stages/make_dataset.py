"""The import and split of one data set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smearlab.core import registry
from smearlab.core.jobs import DatasetJob
from smearlab.datasets._splitting import make_dataset
from smearlab.store.dataset import Canonical, write_dataset
from smearlab.store.inputs import Files

SPLIT = ("split_seed", "validation", "test", "subset", "test_subset")


def run(job: DatasetJob, inputs: Files, outputs: Files) -> None:
    """Read a data set, check it, split it by its named seed, and write both parts with their manifests."""
    folder = Path(outputs["training"]).parent
    given = inputs["config"]["datasets"][folder.name.rpartition("-")[0]]
    write_dataset(canonical(job.contents, given), folder)


def canonical(contents: Mapping[str, Any], given: Mapping[str, Any]) -> Canonical:
    """Return a data set as it is written: `contents` decide what it holds, `given` says where its files lie."""
    kind = contents["kind"]
    known = registry.filled("datasets", kind, {**contents, **given})
    options = {key: value for key, value in known.items() if key not in (*SPLIT, "kind", "fingerprint", "gold")}
    raw = registry.load("datasets", kind).load(**options)
    return make_dataset(raw, **{key: contents[key] for key in SPLIT})
