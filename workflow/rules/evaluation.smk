"""Evaluation: the one stage that reads the test set.

in:  results/data/{dataset}/training.*, test.*; the labels; a block's weights and the account of its run
out: metrics.json (every registered metric) and examples.npz (predicted classes, margins) beside them
"""


rule evaluate_teacher:
    """Measure one block of teachers."""
    input:
        read_by("evaluate_teacher"),
    output:
        **made_by("evaluate_teacher"),
    log:
        log_of("evaluate_teacher"),
    benchmark:
        log_of("evaluate_teacher", "tsv")
    group:
        packed("evaluate_teacher", "evaluations")
    conda:
        "../../envs/train.yaml"
    threads: evaluation_resource("evaluate_teacher", "threads")
    resources:
        mem_mb=evaluation_resource("evaluate_teacher", "mem_mb"),
        runtime=evaluation_resource("evaluate_teacher", "runtime"),
        gpu=evaluation_resource("evaluate_teacher", "gpu"),
        slot=1,  # of which a SLURM job has one, so that packed jobs take turns
    params:
        job=decided_by("evaluate_teacher"),
    script:
        "../scripts/run_stage.py"


rule evaluate_student:
    """Measure one block of students, beside their teachers."""
    input:
        read_by("evaluate_student"),
    output:
        **made_by("evaluate_student"),
    log:
        log_of("evaluate_student"),
    benchmark:
        log_of("evaluate_student", "tsv")
    group:
        packed("evaluate_student", "evaluations")
    conda:
        "../../envs/train.yaml"
    threads: evaluation_resource("evaluate_student", "threads")
    resources:
        mem_mb=evaluation_resource("evaluate_student", "mem_mb"),
        runtime=evaluation_resource("evaluate_student", "runtime"),
        gpu=evaluation_resource("evaluate_student", "gpu"),
        slot=1,  # of which a SLURM job has one, so that packed jobs take turns
    params:
        job=decided_by("evaluate_student"),
    script:
        "../scripts/run_stage.py"
