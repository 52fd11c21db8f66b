"""Train the cross-fitted networks of one block."""

from smearlab.host.gpus import own_gpu
from smearlab.host.joblog import job_log

with job_log(snakemake.log[0]), own_gpu(snakemake.params.job["recipe"]["device"], print):
    from smearlab.stages.warm_up import warm_up  # loads torch, which must see no other GPU

    warm_up(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
