"""Run one job: the module of smearlab/stages/ that has the rule's name."""

from smearlab.host.job import run_stage

run_stage(snakemake)
