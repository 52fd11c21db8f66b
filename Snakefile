"""smearlab: does label smoothing mitigate label noise, on this data, with this network?

data set -> noisy labels -> teachers -> students -> evaluation -> statistics -> figures -> report.
Each stage is a file in workflow/rules/ that opens with what goes in and what comes out.
"""

from smearlab.host.packages import check_packages
from smearlab.host.planning import collect_seldom
from smearlab.host.refusal import one_line
from smearlab.host.scheduler import check_scheduler
from snakemake.utils import min_version

collect_seldom()
with one_line():
    check_packages()

from smearlab.watch import codebook
from smearlab.watch.registration import register

min_version("9.18")

# A file given with --configfile would be merged into this one; a grid stands alone.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/estimates.smk"
include: "workflow/rules/teachers.smk"
include: "workflow/rules/students.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/theory.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/report.smk"


localrules:
    all,


onstart:
    with one_line():
        check_scheduler(workflow.executor_plugin.name, workflow.executor_settings)
        register(GRID)  # what the grid asks, before anything answers it
    codebook.remember()  # so that `explain` can name the module that changed, later
    aside.keep([str(path) for path in job.output] for job in workflow.dag.needrun_jobs())


onsuccess:
    aside.put_back_of_run()


onerror:
    aside.put_back_of_run()


rule all:
    default_target: True
    input:
        dag.asked_of(GRID),
