"""Teachers: networks trained on observed labels.

in:  results/data/{dataset}/training.*, results/labels/…/labels.npz and audit.json of the block's noise seeds
     results/estimates/…/{estimator}.json where the method asks for an estimated T
out: results/teachers/{dataset}/{noise}/{rate}/{recipe}/{method}/{block}/weights.safetensors, history.csv, run.json
"""


rule train_teacher:
    """Train one block of replicates."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        manifest="results/data/{dataset}/training.json",
        labels=ancient(label_files("labels.npz")),
        audits=label_files("audit.json"),
        estimate=estimate_files,
    output:
        weights=kept("teacher")(f"results/teachers/{TEACHER}/{{block}}/weights.safetensors"),
        history=f"results/teachers/{TEACHER}/{{block}}/history.csv",
        run=f"results/teachers/{TEACHER}/{{block}}/run.json",
    log:
        f"logs/teachers/{TEACHER}/{{block}}.log",
    benchmark:
        f"logs/teachers/{TEACHER}/{{block}}.tsv"
    group:
        packed("teachers")
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
        "../scripts/train_teacher.py"
