"""Figures and the page.

in:  the tables of results/<name>/
out: results/<name>/figures/{figure}.svg and .json, reports/<name>.html
"""


rule draw_figure:
    """Draw one figure and write its caption."""
    input:
        metrics=f"results/{GRID.name}/metrics.parquet",
        history=f"results/{GRID.name}/history.parquet",
        curves=f"results/{GRID.name}/curves.parquet",
        context=f"results/{GRID.name}/context.json",
        summary=f"results/{GRID.name}/summary.csv",
        variance=f"results/{GRID.name}/variance.csv",
        interaction=f"results/{GRID.name}/interaction.csv",
        choice=f"results/{GRID.name}/choice.csv",
        passed_on=f"results/{GRID.name}/passed_on.csv",
    output:
        svg=report(
            f"results/{GRID.name}/figures/{{figure}}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        text=f"results/{GRID.name}/figures/{{figure}}.json",
    log:
        f"logs/{GRID.name}/figures/{{figure}}.log",
    conda:
        "../../envs/report.yaml"
    params:
        job=lambda wildcards: jobs.figure_job(wildcards.figure),
    script:
        "../scripts/draw_figure.py"


rule write_report:
    """Write the page that answers the question."""
    input:
        metrics=f"results/{GRID.name}/metrics.parquet",
        history=f"results/{GRID.name}/history.parquet",
        curves=f"results/{GRID.name}/curves.parquet",
        context=f"results/{GRID.name}/context.json",
        summary=f"results/{GRID.name}/summary.csv",
        variance=f"results/{GRID.name}/variance.csv",
        interaction=f"results/{GRID.name}/interaction.csv",
        choice=f"results/{GRID.name}/choice.csv",
        passed_on=f"results/{GRID.name}/passed_on.csv",
        reference=f"results/{GRID.name}/reference.csv",
        figures=expand(f"results/{GRID.name}/figures/{{figure}}.{{end}}", figure=FIGURES, end=("svg", "json")),
    output:
        f"reports/{GRID.name}.html",
    log:
        f"logs/{GRID.name}/report.log",
    conda:
        "../../envs/report.yaml"
    params:
        job=jobs.report_job(),
    script:
        "../scripts/write_report.py"
