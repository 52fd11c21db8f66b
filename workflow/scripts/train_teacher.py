"""Train one block of teachers."""

from smearlab.joblog import job_log
from smearlab.stages import train_teachers

with job_log(snakemake.log[0]):
    train_teachers(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
