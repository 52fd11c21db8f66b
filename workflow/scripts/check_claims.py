"""Compute the paper's claims."""

from smearlab.files import write_sealed
from smearlab.joblog import job_log
from smearlab.theory import check_all

with job_log(snakemake.log[0]):
    write_sealed(snakemake.output[0], {"claims": check_all()})
