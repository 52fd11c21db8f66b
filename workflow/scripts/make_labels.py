"""Draw the observed labels of one noise seed."""

from smearlab.core.registry import describe
from smearlab.host.joblog import job_log
from smearlab.stages.make_labels import make_labels

with job_log(snakemake.log[0]):
    job = snakemake.params.job
    # Where a file lies is no part of the job; the config says it. The noise `clean` stands in no config.
    given = snakemake.config["noises"].get(snakemake.wildcards.noise.rpartition("-")[0], {})
    options = {key: value for key, value in {**job["contents"], **given}.items() if key not in ("kind", "rates")}
    data = snakemake.config["datasets"][snakemake.wildcards.dataset.rpartition("-")[0]]
    source = {key: value for key, value in data.items() if key in describe("datasets", job["dataset_kind"]).options}
    make_labels(job, options, dict(snakemake.input.items()), dict(snakemake.output.items()), source)
