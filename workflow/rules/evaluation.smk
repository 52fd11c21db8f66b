"""Evaluation: the one stage that reads the test set.

in:  results/data/{dataset}/training.*, test.*; the labels; a block's weights.safetensors and run.json
out: metrics.json (every registered metric) and examples.npz (predicted classes, margins) beside them
"""


rule evaluate_teacher:
    """Measure one block of teachers."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        training_manifest="results/data/{dataset}/training.json",
        test=ancient("results/data/{dataset}/test.npz"),
        test_manifest="results/data/{dataset}/test.json",
        labels=ancient(label_files("labels.npz")),
        audits=label_files("audit.json"),
        weights=ancient(f"results/teachers/{TEACHER}/{{block}}/weights.safetensors"),
        run=f"results/teachers/{TEACHER}/{{block}}/run.json",
    output:
        metrics=f"results/teachers/{TEACHER}/{{block}}/metrics.json",
        examples=f"results/teachers/{TEACHER}/{{block}}/examples.npz",
    log:
        f"logs/evaluation/teachers/{TEACHER}/{{block}}.log",
    benchmark:
        f"logs/evaluation/teachers/{TEACHER}/{{block}}.tsv"
    group:
        packed("evaluations")
    conda:
        "../../envs/train.yaml"
    threads: evaluation_resource("threads")
    resources:
        mem_mb=evaluation_resource("mem_mb"),
        runtime=evaluation_resource("runtime"),
        gpu=evaluation_resource("gpu"),
        slot=evaluation_resource("slot"),
    params:
        job=evaluation_job,
    script:
        "../scripts/evaluate.py"


rule evaluate_student:
    """Measure one block of students, beside their teachers."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        training_manifest="results/data/{dataset}/training.json",
        test=ancient("results/data/{dataset}/test.npz"),
        test_manifest="results/data/{dataset}/test.json",
        labels=ancient(label_files("labels.npz")),
        audits=label_files("audit.json"),
        weights=ancient(f"results/students/{STUDENT}/{{block}}/weights.safetensors"),
        run=f"results/students/{STUDENT}/{{block}}/run.json",
        teacher_weights=ancient(teacher_file("weights.safetensors")),
        teacher_run=teacher_file("run.json"),
    output:
        metrics=f"results/students/{STUDENT}/{{block}}/metrics.json",
        examples=f"results/students/{STUDENT}/{{block}}/examples.npz",
    log:
        f"logs/evaluation/students/{STUDENT}/{{block}}.log",
    benchmark:
        f"logs/evaluation/students/{STUDENT}/{{block}}.tsv"
    group:
        packed("evaluations")
    conda:
        "../../envs/train.yaml"
    threads: evaluation_resource("threads")
    resources:
        mem_mb=evaluation_resource("mem_mb"),
        runtime=evaluation_resource("runtime"),
        gpu=evaluation_resource("gpu"),
        slot=evaluation_resource("slot"),
    params:
        job=evaluation_job,
    script:
        "../scripts/evaluate.py"
