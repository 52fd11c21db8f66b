"""Train the cross-fitted networks of one block."""

from smearlab.cross_fitting import warm_up
from smearlab.joblog import job_log

with job_log(snakemake.log[0]):
    warm_up(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
