"""Draw the observed labels of one noise seed."""

from smearlab.config.resolve import resolve
from smearlab.definitions import CLEAN
from smearlab.joblog import job_log
from smearlab.noise import make_labels

with job_log(snakemake.log[0]):
    job = snakemake.params.job
    name = snakemake.wildcards.noise.rpartition("-")[0] or CLEAN.name
    dataset = snakemake.wildcards.dataset.rpartition("-")[0]
    definitions = resolve(snakemake.config)
    noises = {noise.name: noise for noise in [CLEAN, *definitions.noises]}
    make_labels(
        job,
        dataset_id=snakemake.wildcards.dataset,
        dataset_kind=definitions.config.datasets[dataset].kind,
        options=noises[name].options,
        training=snakemake.input.training,
        labels=snakemake.output.labels,
        audit_path=snakemake.output.audit,
    )
