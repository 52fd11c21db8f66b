"""Observed labels: a noise of one rate drawn with one noise seed, with its audit.

in:  results/data/{dataset}/training.npz, training.json
out: results/labels/{dataset}/{noise}/{rate}/seed={seed}/labels.npz, audit.json
"""


rule make_labels:
    """Draw the observed labels, and record the asked and the realised transition matrix."""
    input:
        training=ancient("results/data/{dataset}/training.npz"),
        manifest="results/data/{dataset}/training.json",
    output:
        labels="results/labels/{dataset}/{noise}/{rate}/seed={seed}/labels.npz",
        audit="results/labels/{dataset}/{noise}/{rate}/seed={seed}/audit.json",
    log:
        "logs/labels/{dataset}/{noise}/{rate}/seed={seed}.log",
    benchmark:
        "logs/labels/{dataset}/{noise}/{rate}/seed={seed}.tsv"
    conda:
        "../../envs/train.yaml"
    params:
        job=lambda w: jobs.labels_job(GRID.labels[f"{w.dataset}/{w.noise}/{w.rate}"], int(w.seed)),
    script:
        "../scripts/make_labels.py"
