"""All numbers and the answer.

in:  every block's run.json, history.csv and metrics.json; the audits; the estimated T; the claims
out: results/<name>/metrics.parquet and .csv, history.parquet, curves.parquet, context.json
     results/<name>/summary.csv, with variance.csv, interaction.csv, choice.csv, passed_on.csv and
     reference.csv, and summary.json with their hashes
"""


rule collect:
    """Put every network into one table, a row each, in a fixed order."""
    input:
        runs=block_files("run.json"),
        histories=block_files("history.csv"),
        metrics=block_files("metrics.json"),
        audits=audit_files(),
        estimates=all_estimate_files(),
        manifests=[f"results/data/{dataset}/{part}.json" for dataset in GRID.datasets for part in ("training", "test")],
        claims="results/theory/claims.json",
    output:
        metrics=f"results/{GRID.name}/metrics.parquet",
        csv=f"results/{GRID.name}/metrics.csv",
        history=f"results/{GRID.name}/history.parquet",
        curves=f"results/{GRID.name}/curves.parquet",
        context=f"results/{GRID.name}/context.json",
    log:
        f"logs/{GRID.name}/collect.log",
    conda:
        "../../envs/report.yaml"
    params:
        job=jobs.collection_job(GRID),
    script:
        "../scripts/collect.py"


rule summarise:
    """Compare every cell with its baseline."""
    input:
        metrics=f"results/{GRID.name}/metrics.parquet",
        context=f"results/{GRID.name}/context.json",
    output:
        summary=f"results/{GRID.name}/summary.csv",
        variance=f"results/{GRID.name}/variance.csv",
        interaction=f"results/{GRID.name}/interaction.csv",
        choice=f"results/{GRID.name}/choice.csv",
        passed_on=f"results/{GRID.name}/passed_on.csv",
        hashes=f"results/{GRID.name}/summary.json",
        reference=f"results/{GRID.name}/reference.csv",
    log:
        f"logs/{GRID.name}/summarise.log",
    conda:
        "../../envs/report.yaml"
    params:
        job=jobs.statistics_job(GRID),
    script:
        "../scripts/summarise.py"
