"""Estimate the transition matrix of each replicate of one block."""

from smearlab.host.joblog import job_log
from smearlab.stages.estimate_transition import estimate_transition

with job_log(snakemake.log[0]):
    estimate_transition(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
