"""Draw the observed labels of one noise seed."""

from smearlab.config.resolve import resolve
from smearlab.definitions import CLEAN
from smearlab.joblog import job_log
from smearlab.labelling import make_labels

with job_log(snakemake.log[0]):
    definitions = resolve(snakemake.config)
    datasets = {dataset.id: dataset for dataset in definitions.datasets}
    noises = {noise.id: noise for noise in [CLEAN, *definitions.noises]}
    make_labels(
        snakemake.params.job,
        datasets[snakemake.wildcards.dataset],
        noises[snakemake.wildcards.noise],
        dict(snakemake.input.items()),
        dict(snakemake.output.items()),
    )
