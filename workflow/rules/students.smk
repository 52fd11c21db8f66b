"""Students: networks trained on a teacher's outputs, and on labels as the cell says.

in:  what the teacher had, and its weights.safetensors and run.json
out: results/students/{dataset}/{noise}/{rate}/{teacher_recipe}/{teacher_method}/{recipe}/{student}/{block}/…
"""


rule distill_student:
    """Train one block of students; student (n, t) learns from teacher (n, t)."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        manifest="results/data/{dataset}/training.json",
        labels=ancient(label_files("labels.npz")),
        audits=label_files("audit.json"),
        estimate=estimate_files,
        teacher_weights=ancient(teacher_file("weights.safetensors")),
        teacher_run=teacher_file("run.json"),
    output:
        weights=kept("student")(f"results/students/{STUDENT}/{{block}}/weights.safetensors"),
        history=f"results/students/{STUDENT}/{{block}}/history.csv",
        run=f"results/students/{STUDENT}/{{block}}/run.json",
    log:
        f"logs/students/{STUDENT}/{{block}}.log",
    benchmark:
        f"logs/students/{STUDENT}/{{block}}.tsv"
    group:
        packed("students")
    conda:
        "../../envs/train.yaml"
    threads: training_resource("threads")
    resources:
        mem_mb=training_resource("mem_mb"),
        runtime=training_resource("runtime"),
        gpu=training_resource("gpu"),
        slot=training_resource("slot"),
    params:
        job=training_job,
    script:
        "../scripts/distill_student.py"
