"""Put every network of a grid into one table."""

from pathlib import Path

from smearlab.collect import collect
from smearlab.grid import load_grid
from smearlab.joblog import job_log

with job_log(snakemake.log[0]):
    collect(load_grid(snakemake.config), Path(snakemake.output.metrics).parent)
