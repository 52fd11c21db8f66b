"""Draw one figure."""

from pathlib import Path

from smearlab.core.registry import load
from smearlab.figures._save import save
from smearlab.host.joblog import job_log
from smearlab.store.tables import read_tables

with job_log(snakemake.log[0]):
    tables = read_tables(Path(snakemake.input.metrics).parent)
    drawing = load("figures", snakemake.params.job["figure"]).draw(tables)
    save(drawing, snakemake.output.svg, snakemake.output.text)
