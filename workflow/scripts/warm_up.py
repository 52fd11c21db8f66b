"""Train the cross-fitted networks of one block."""

from smearlab.gpus import own_gpu
from smearlab.joblog import job_log

with job_log(snakemake.log[0]), own_gpu(snakemake.params.job["recipe"]["device"], print):
    from smearlab.cross_fitting import warm_up  # loads torch, which must see no other GPU

    warm_up(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
