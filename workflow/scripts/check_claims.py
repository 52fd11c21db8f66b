"""Compute the paper's claims."""

from smearlab.files import write_json
from smearlab.joblog import job_log
from smearlab.theory import check_all

with job_log(snakemake.log[0]):
    write_json(snakemake.output[0], check_all())
