"""Train one block of teachers."""

from smearlab.host.gpus import own_gpu
from smearlab.host.joblog import job_log

with job_log(snakemake.log[0]), own_gpu(snakemake.params.job["recipe"]["device"], print):
    from smearlab.stages.train_teacher import train_teachers  # loads torch, which must see no other GPU

    train_teachers(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
