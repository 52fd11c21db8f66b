"""The grid and the look-ups that rules share. No rules here.

Rules with `localrule` are made where Snakemake runs, also under a scheduler: seconds each, or a download that needs the
outer network.

in:  the config
out: GRID, and functions that take a rule's files and what decides its results from the one table of stages
"""

import atexit
import os
import signal
import sys
from functools import cache
from pathlib import Path

from smearlab.core import registry
from smearlab.core.digest import keep_digests
from smearlab.core.jobs import plain
from smearlab.grid import dag
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES
from smearlab.grid.load import read_config
from smearlab.grid.resources import evaluation_resources, length, training_resources
from smearlab.host.checkout import check_writable
from smearlab.host.planning import remember_sources, shared_values, with_signature
from smearlab.host.refusal import one_line
from smearlab.host.scheduler import pack_of, take_turns
from smearlab.host.surroundings import settle
from smearlab.host.times import bring_to_now
from smearlab.watch import aside
from smearlab.watch.leftovers import clear_before_run
from smearlab.watch.packs import count_members_alone
from smearlab.watch.seals import check_seals

# SLURM's warning before a time limit is for the training alone, which writes its checkpoint. Snakemake would die of it.
# Ignored here, it is ignored by every process below, but for those that say otherwise.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)

settle()
remember_sources(workflow.sourcecache)
count_members_alone()

with one_line():  # before any job starts, without a traceback
    if workflow.is_main_process:
        check_writable()
        if runs := clear_before_run(sys.argv[1:]):
            aside.put_back_of_run()  # what a killed run did not come to make anew
    for path in workflow.configfiles:
        read_config(path)  # Snakemake has read it too, but lets the last of two equal keys win in silence
    GRID = load_grid(config)
    if workflow.is_main_process:
        atexit.register(keep_digests)
        nodes = dag.nodes_of(GRID)
        if runs and (late := bring_to_now((path for node in nodes for path in node.outputs), Path(".smearlab"))):
            print(
                f"{late} results had times in the future, as a clock that was set back leaves them: now they have not",
                file=sys.stderr,
            )
        check_seals(nodes, " ".join(map(os.path.relpath, workflow.configfiles)))


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


def at(rule):
    """Return the place of a rule's files below results/, with wildcards."""
    return STAGES[rule].at.replace("{name}", GRID.name)


def subject_of(rule, wildcards):
    """Look up what the wildcards of a rule stand for."""
    return dag.subject_of(GRID, rule, wildcards)


def marked(files):
    """Mark large files as such that need only be there."""
    if isinstance(files, list):
        return [marked(path) for path in files]
    return ancient(files) if isinstance(files, dag.Large) else files


def read_by(rule):
    """Return the input function of a rule with wildcards; for one without, its inputs."""
    stage = STAGES[rule]

    @with_signature
    def files(wildcards):
        if workflow.remote_exec:
            take_turns(workflow)
        return {name: marked(value) for name, value in stage.reads(subject_of(rule, wildcards)).items()}

    return unpack(files)


def made_by(rule):
    """Return the outputs of a rule by name; `keep` in the config says whose weights stay on disk."""
    made = STAGES[rule].outputs(at(rule))
    return {**made, "weights": temp(made["weights"])} if dag.is_transient(STAGES[rule], GRID) else made


def log_of(rule, end="log"):
    """Return a rule's log; with the end `tsv` its benchmark."""
    return STAGES[rule].log_at(at(rule)).removesuffix("log") + end


def decided_by(rule):
    """Return the function for the one dictionary that a job depends on."""
    return with_signature(lambda wildcards: plain(STAGES[rule].job(subject_of(rule, wildcards))))


def training_resource(rule, name):
    """Return one resource of a training job, as its recipe asks."""
    return resource_of(rule, name, training_resources)


def evaluation_resource(rule, name):
    """Return one resource of an evaluation, as its recipe asks."""
    return resource_of(rule, name, evaluation_resources)


def resource_of(rule, name, resources):
    """Return the function for one resource of a rule, or in a dry run the value that all its jobs ask for."""

    @with_signature
    def asked(wildcards, attempt):
        return resources(subject_of(rule, wildcards).trained, attempt)[name]

    return shared_by_jobs(rule, resources).get(name, asked)


@cache
def shared_by_jobs(rule, resources):
    """Return the resources of which all jobs of a rule ask for the same, but in a run, where a repeated job asks for more."""
    if not workflow.output_settings.dryrun:
        return {}
    return shared_values([resources(subject.trained) for subject in STAGES[rule].subjects(GRID)])


def packed(rule, name):
    """Return the function for a job's group; only groups that the profile packs are groups at all."""

    @with_signature
    def group(wildcards):
        if workflow.remote_exec:
            return pack_of(workflow)
        if not (sizes := workflow.group_settings.group_components):
            workflow.get_rule(rule).group = None  # no group is asked for again, several times a job
            return None
        length_ = length(subject_of(rule, wildcards).trained)
        return next((g for g in (name, f"{name}-{length_}") if g in sizes), None)

    return group
