"""The grid and the look-ups that rules share. No rules here.

in:  the config
out: GRID, and functions from wildcards to input files and to the one dictionary a job depends on
"""

import signal
import sys

from smearlab.grid import jobs

from smearlab.core import registry
from smearlab.grid.load import read_config
from smearlab.grid.cells import load_grid
from smearlab.grid.resources import evaluation_resources, length, training_resources
from smearlab.host.checkout import check_writable
from smearlab.host.refusal import one_line
from smearlab.host.surroundings import settle
from smearlab.watch.leftovers import clear_before_run

# SLURM's warning before a time limit is for the training alone, which writes its checkpoint. Snakemake would die of it.
# Ignored here, it is ignored by every process below, but for those that say otherwise.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)

settle()

with one_line():  # before any job starts, without a traceback
    if workflow.is_main_process:
        check_writable()
        clear_before_run(sys.argv[1:])
    for path in workflow.configfiles:
        read_config(path)  # Snakemake has read it too, but lets the last of two equal keys win in silence
    GRID = load_grid(config)

TEACHER = "{dataset}/{noise}/{rate}/{recipe}/{method}"
STUDENT = "{dataset}/{noise}/{rate}/{teacher_recipe}/{teacher_method}/{recipe}/{student}"
ESTIMATE = "{dataset}/{noise}/{rate}/{recipe}/{estimate}"
FIGURES = registry.names("figures")


wildcard_constraints:
    dataset="[^/]+",
    noise="[^/]+",
    rate=r"rate=[^/]+",
    seed=r"\d+",
    recipe="[^/]+",
    method="[^/]+",
    teacher_recipe="[^/]+",
    teacher_method="[^/]+",
    student="[^/]+",
    estimate="cross_fit-[^/]+",
    estimator="({})(-[^/]+)?".format("|".join(registry.names("estimators"))),
    block=r"(paired|crossed)-\d+",
    figure="[^/]+",


def cell_of(wildcards):
    """Look a cell (or what its T is estimated from) up by the wildcards that spell its path."""
    if hasattr(wildcards, "estimate"):
        return GRID.estimates[ESTIMATE.format(**wildcards)]
    if hasattr(wildcards, "student"):
        return GRID.cells[f"students/{STUDENT}".format(**wildcards)]
    return GRID.cells[f"teachers/{TEACHER}".format(**wildcards)]


def label_files(name):
    """Return the input function for one file of each noise seed of a block."""

    def files(wildcards):
        cell = cell_of(wildcards)
        seeds = dict.fromkeys(r.noise_seed for r in cell.replicates(wildcards.block))
        return [f"{cell.labels.folder(seed)}/{name}" for seed in seeds]

    return files


def estimate_files(wildcards):
    """Return the file with a cell's estimated T; none where its method does not ask for one."""
    return cell_of(wildcards).estimate_files(wildcards.block)


def teacher_file(name):
    """Return the input function for a file of a student's teacher."""
    return lambda wildcards: f"{cell_of(wildcards).teacher.folder(wildcards.block)}/{name}"


def training_job(wildcards):
    """All that decides the training of a block."""
    return jobs.training_job(cell_of(wildcards), wildcards.block)


def evaluation_job(wildcards):
    """All that decides the evaluation of a block."""
    return jobs.evaluation_job(cell_of(wildcards), wildcards.block)


def training_resource(name):
    """Return the function for one resource of a training job, as its recipe asks."""
    return lambda wildcards, attempt: training_resources(cell_of(wildcards), attempt)[name]


def evaluation_resource(name):
    """Return the function for one resource of an evaluation, as its recipe asks."""
    return lambda wildcards, attempt: evaluation_resources(cell_of(wildcards), attempt)[name]


def packed(name):
    """Return the function for a job's group; only groups that the profile packs are groups at all."""

    def group(wildcards):
        if workflow.remote_exec:  # a failed member does not keep the others of its pack from being done
            workflow.execution_settings.keep_going = True
        sizes = workflow.group_settings.group_components
        return next((g for g in (name, f"{name}-{length(cell_of(wildcards))}") if g in sizes), None)

    return group


def kept(role):
    """Return how weights are marked: `keep` in the config says whose weights stay on disk."""
    stays = {"weights": ("teacher", "student"), "teachers": ("teacher",), "none": ()}[GRID.config.keep]
    return (lambda path: path) if role in stays else temp


def block_files(*names):
    """Return the paths of some files of every block of every cell."""
    return [f"{folder}/{name}" for folder in GRID.folders() for name in names]


def audit_files():
    """Return the audit of every noise seed that some block uses."""
    found = {}
    for cell in GRID.cells.values():
        for block in GRID.blocks(cell):
            for replicate in cell.replicates(block):
                found[f"{cell.labels.folder(replicate.noise_seed)}/audit.json"] = None
    return list(found)


def all_estimate_files():
    """Return the file with the estimated T of every block of every cell that has one."""
    cells = GRID.cells.values()
    return list(dict.fromkeys(path for cell in cells for b in GRID.blocks(cell) for path in cell.estimate_files(b)))
