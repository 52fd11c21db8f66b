"""Train one block of students."""

from smearlab.host.gpus import own_gpu
from smearlab.host.joblog import job_log

with job_log(snakemake.log[0]), own_gpu(snakemake.params.job["recipe"]["device"], print):
    from smearlab.stages.distill_student import distill_students  # loads torch, which must see no other GPU

    distill_students(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
