"""Compute the paper's claims."""

from smearlab.host.joblog import job_log
from smearlab.stages.check_claims import check_all
from smearlab.store.files import write_sealed

with job_log(snakemake.log[0]):
    write_sealed(snakemake.output[0], {"claims": check_all()})
