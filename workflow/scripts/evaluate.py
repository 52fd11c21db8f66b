"""Measure one block of networks."""

from smearlab.joblog import job_log
from smearlab.measuring import evaluate

with job_log(snakemake.log[0]):
    evaluate(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
