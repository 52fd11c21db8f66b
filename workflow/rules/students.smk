"""Students: networks trained on a teacher's outputs, and on labels as the cell says.

in:  what the teacher had, and its weights and the account of its run
out: results/students/{dataset}/{noise}/{rate}/{teacher_recipe}/{teacher_method}/{recipe}/{student}/{block}/…
"""


rule distill_student:
    """Train one block of students; student (n, t) learns from teacher (n, t)."""
    input:
        read_by("distill_student"),
    output:
        **made_by("distill_student"),
    log:
        log_of("distill_student"),
    benchmark:
        log_of("distill_student", "tsv")
    group:
        packed("distill_student", "students")
    conda:
        "../../envs/train.yaml"
    threads: training_resource("distill_student", "threads")
    resources:
        mem_mb=training_resource("distill_student", "mem_mb"),
        runtime=training_resource("distill_student", "runtime"),
        gpu=training_resource("distill_student", "gpu"),
        slot=1,  # of which a SLURM job has one, so that packed jobs take turns
    params:
        job=decided_by("distill_student"),
    script:
        "../scripts/run_stage.py"
