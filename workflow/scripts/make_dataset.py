"""Import one data set; as the first job of a grid it says on the terminal which torch and GPUs are there."""

import sys
from pathlib import Path

from smearlab.core.registry import load
from smearlab.datasets._splitting import make_dataset
from smearlab.host.gpus import describe
from smearlab.host.joblog import job_log
from smearlab.store.dataset import write_dataset

SPLIT = ("split_seed", "validation", "test", "subset", "test_subset")

print(f"smearlab: {describe()}", file=sys.stderr)
with job_log(snakemake.log[0]):
    contents = snakemake.params.job["contents"]
    # Where the files lie is no part of the job, so that moving them reruns nothing; the config says it.
    given = snakemake.config["datasets"][snakemake.wildcards.dataset.rpartition("-")[0]]
    options = {k: v for k, v in {**contents, **given}.items() if k not in (*SPLIT, "kind", "fingerprint")}
    raw = load("datasets", contents["kind"]).load(**options)
    settings = {key: contents[key] for key in SPLIT}
    write_dataset(make_dataset(raw, **settings), Path(snakemake.output.training).parent)
