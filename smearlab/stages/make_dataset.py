"""The import and split of one data set."""

from pathlib import Path

from smearlab.core import registry
from smearlab.core.jobs import DatasetJob
from smearlab.datasets._splitting import make_dataset
from smearlab.store.dataset import write_dataset
from smearlab.store.inputs import Files

SPLIT = ("split_seed", "validation", "test", "subset", "test_subset")


def run(job: DatasetJob, inputs: Files, outputs: Files) -> None:
    """Read a data set, check it, split it by its named seed, and write both parts with their manifests."""
    folder = Path(outputs["training"]).parent
    given = inputs["config"]["datasets"][folder.name.rpartition("-")[0]]
    kind = job.contents["kind"]
    known = registry.filled("datasets", kind, {**job.contents, **given})
    options = {key: value for key, value in known.items() if key not in (*SPLIT, "kind", "fingerprint", "gold")}
    raw = registry.load("datasets", kind).load(**options)
    write_dataset(make_dataset(raw, **{key: job.contents[key] for key in SPLIT}), folder)
