"""All numbers and the answer.

in:  every block's account of its run, history and metrics; the audits; the estimated T; the claims
out: results/<name>/metrics.parquet and .csv, history.parquet, curves.parquet, correct.npz, context.json
     results/<name>/summary.csv, with variance.csv, interaction.csv, choice.csv, passed_on.csv,
     stopping.csv, mitigation.csv, rivals.csv, robustness.csv, pooled.csv and reference.csv, and summary.json with their hashes
"""


rule collect:
    """Put every network into one table, a row each, in a fixed order."""
    input:
        read_by("collect"),
    output:
        **made_by("collect"),
    log:
        log_of("collect"),
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        job=decided_by("collect"),
    script:
        "../scripts/run_stage.py"


rule summarise:
    """Compare every cell with its baseline."""
    input:
        read_by("summarise"),
    output:
        **made_by("summarise"),
    log:
        log_of("summarise"),
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        job=decided_by("summarise"),
    script:
        "../scripts/run_stage.py"
