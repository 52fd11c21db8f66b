"""The paper's claims that need no training, computed.

in:  nothing
out: results/theory/claims.json
"""


rule check_claims:
    """Compute each claim and its largest error."""
    output:
        **made_by("check_claims"),
    log:
        log_of("check_claims"),
    localrule: True
    conda:
        "../../envs/train.yaml"
    params:
        job=decided_by("check_claims"),
    script:
        "../scripts/run_stage.py"
