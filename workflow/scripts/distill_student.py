"""Train one block of students."""

from smearlab.joblog import job_log
from smearlab.stages import distill_students

with job_log(snakemake.log[0]):
    distill_students(snakemake.params.job, dict(snakemake.input.items()), dict(snakemake.output.items()))
