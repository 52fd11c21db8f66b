"""Estimated transition matrices, for the cells whose method has `transition: estimated(NAME)`, and only for them.

in:  results/data/{dataset}/training.*, results/labels/…/labels.npz and audit.json of the block's noise seeds
out: results/estimates/{dataset}/{noise}/{rate}/{recipe}/{estimate}/{block}/probabilities.npz, run.json
     {estimator}.json beside them: the T of each replicate, with its errors where the true T is known
"""


rule warm_up:
    """Train networks on all folds but one of the training part, and predict each fold by the one that lacks it."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        manifest="results/data/{dataset}/training.json",
        labels=ancient(label_files("labels.npz")),
        audits=label_files("audit.json"),
    output:
        probabilities=f"results/estimates/{ESTIMATE}/{{block}}/probabilities.npz",
        run=f"results/estimates/{ESTIMATE}/{{block}}/run.json",
    log:
        f"logs/estimates/{ESTIMATE}/{{block}}.log",
    benchmark:
        f"logs/estimates/{ESTIMATE}/{{block}}.tsv"
    group:
        packed("estimates")
    conda:
        "../../envs/train.yaml"
    threads: training_resource("threads")
    resources:
        mem_mb=training_resource("mem_mb"),
        runtime=training_resource("runtime"),
        gpu=training_resource("gpu"),
        slot=training_resource("slot"),
    params:
        job=lambda wildcards: jobs.warm_up_job(cell_of(wildcards), wildcards.block),
    script:
        "../scripts/warm_up.py"


rule estimate_transition:
    """Estimate the transition matrix of each replicate of a block."""
    input:
        probabilities=ancient(f"results/estimates/{ESTIMATE}/{{block}}/probabilities.npz"),
        run=f"results/estimates/{ESTIMATE}/{{block}}/run.json",
        audits=label_files("audit.json"),
    output:
        estimate=f"results/estimates/{ESTIMATE}/{{block}}/{{estimator}}.json",
    log:
        f"logs/estimates/{ESTIMATE}/{{block}}/{{estimator}}.log",
    benchmark:
        f"logs/estimates/{ESTIMATE}/{{block}}/{{estimator}}.tsv"
    conda:
        "../../envs/train.yaml"
    params:
        job=lambda wildcards: jobs.estimate_job(
            cell_of(wildcards), wildcards.block, GRID.estimators[wildcards.estimator]
        ),
    script:
        "../scripts/estimate_transition.py"
