"""Write the page."""

from pathlib import Path

from smearlab.host.joblog import job_log
from smearlab.report.page import write_page

with job_log(snakemake.log[0]):
    write_page(Path(snakemake.input.metrics).parent, snakemake.output[0])
