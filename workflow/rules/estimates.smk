"""Estimated transition matrices, for the cells whose method has `transition: estimated(NAME)`, and only for them.

in:  results/data/{dataset}/training.*, results/labels/…/labels.npz and audit.json of the block's noise seeds
out: results/estimates/{dataset}/{noise}/{rate}/{recipe}/{estimate}/{block}/the probabilities, the account of the run
     {estimator}.json beside them: the T of each replicate, with its errors where the true T is known
"""


rule warm_up:
    """Train networks on all folds but one of the training part, and predict each fold by the one that lacks it."""
    input:
        read_by("warm_up"),
    output:
        **made_by("warm_up"),
    log:
        log_of("warm_up"),
    benchmark:
        log_of("warm_up", "tsv")
    group:
        packed("warm_up", "estimates")
    conda:
        "../../envs/train.yaml"
    threads: training_resource("warm_up", "threads")
    resources:
        mem_mb=training_resource("warm_up", "mem_mb"),
        runtime=training_resource("warm_up", "runtime"),
        gpu=training_resource("warm_up", "gpu"),
        slot=1,  # of which a SLURM job has one, so that packed jobs take turns
    params:
        job=decided_by("warm_up"),
    script:
        "../scripts/run_stage.py"


rule estimate_transition:
    """Estimate the transition matrix of each replicate of a block."""
    input:
        read_by("estimate_transition"),
    output:
        **made_by("estimate_transition"),
    log:
        log_of("estimate_transition"),
    benchmark:
        log_of("estimate_transition", "tsv")
    localrule: True
    conda:
        "../../envs/train.yaml"
    params:
        job=decided_by("estimate_transition"),
    script:
        "../scripts/run_stage.py"
