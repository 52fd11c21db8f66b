"""Compare every cell with its baseline."""

from pathlib import Path

from smearlab.host.joblog import job_log
from smearlab.stages.summarise import summarise_grid

with job_log(snakemake.log[0]):
    folder = Path(snakemake.output.summary).parent
    summarise_grid(folder, primary=snakemake.params.job["primary"], margin=snakemake.params.job["margin"])
