"""Import one data set."""

from pathlib import Path

from smearlab.config.load import parse
from smearlab.data import write_dataset
from smearlab.joblog import job_log
from smearlab.registry import load
from smearlab.splitting import make_dataset

with job_log(snakemake.log[0]):
    contents = snakemake.params.job["contents"]
    name = snakemake.wildcards.dataset.rpartition("-")[0]
    options = parse(snakemake.config).datasets[name].model_extra or {}
    raw = load("datasets", contents["kind"]).load(**options)
    settings = {key: contents[key] for key in ("split_seed", "validation", "test", "subset", "test_subset")}
    write_dataset(make_dataset(raw, **settings), Path(snakemake.output.training).parent)
