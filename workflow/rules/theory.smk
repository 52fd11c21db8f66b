"""The paper's claims that need no training, computed.

in:  nothing
out: results/theory/claims.json
"""


rule check_claims:
    """Compute each claim and its largest error."""
    output:
        "results/theory/claims.json",
    log:
        "logs/theory/claims.log",
    conda:
        "../../envs/train.yaml"
    params:
        job=jobs.theory_job(),
    script:
        "../scripts/check_claims.py"
