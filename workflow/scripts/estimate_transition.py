"""Estimate the transition matrix of each replicate of one block."""

from smearlab.estimating import estimate_transition
from smearlab.joblog import job_log

with job_log(snakemake.log[0]):
    estimate_transition(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
