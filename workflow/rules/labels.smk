"""Observed labels: a noise of one rate drawn with one noise seed, with its audit.

in:  results/data/{dataset}/training.npz, training.json
out: results/labels/{dataset}/{noise}/{rate}/seed={seed}/labels.npz, audit.json
"""


rule make_labels:
    """Draw the observed labels, and record the asked and the realised transition matrix."""
    input:
        read_by("make_labels"),
    output:
        **made_by("make_labels"),
    log:
        log_of("make_labels"),
    benchmark:
        log_of("make_labels", "tsv")
    localrule: True
    conda:
        "../../envs/train.yaml"
    params:
        job=decided_by("make_labels"),
    script:
        "../scripts/run_stage.py"


rules.make_labels.rule.restart_times = 0  # a fault of a label file is told once, whatever the profile says
