"""Teachers: networks trained on observed labels.

in:  results/data/{dataset}/training.*, results/labels/…/labels.npz and audit.json of the block's noise seeds
     results/estimates/…/{estimator}.json where the method asks for an estimated T
out: results/teachers/{dataset}/{noise}/{rate}/{recipe}/{method}/{block}/
     weights, history and the account of the run
"""


rule train_teacher:
    """Train one block of replicates."""
    input:
        read_by("train_teacher"),
    output:
        **made_by("train_teacher"),
    log:
        log_of("train_teacher"),
    benchmark:
        log_of("train_teacher", "tsv")
    group:
        packed("train_teacher", "teachers")
    conda:
        "../../envs/train.yaml"
    threads: training_resource("train_teacher", "threads")
    resources:
        mem_mb=training_resource("train_teacher", "mem_mb"),
        runtime=training_resource("train_teacher", "runtime"),
        gpu=training_resource("train_teacher", "gpu"),
        slot=1,  # of which a SLURM job has one, so that packed jobs take turns
    params:
        job=decided_by("train_teacher"),
    script:
        "../scripts/run_stage.py"
