"""Put every network of a grid into one table."""

from pathlib import Path

from smearlab.grid.cells import load_grid
from smearlab.host.joblog import job_log
from smearlab.stages.collect import collect

with job_log(snakemake.log[0]):
    collect(load_grid(snakemake.config), Path(snakemake.output.metrics).parent)
