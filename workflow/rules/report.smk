"""Figures and the page.

in:  the tables of results/<name>/
out: results/<name>/figures/{figure}.svg and .json, reports/<name>.html
"""


rule draw_figure:
    """Draw one figure and write its caption."""
    input:
        read_by("draw_figure"),
    output:
        svg=report(
            made_by("draw_figure")["svg"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        text=made_by("draw_figure")["text"],
    log:
        log_of("draw_figure"),
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        job=decided_by("draw_figure"),
    script:
        "../scripts/run_stage.py"


rule write_report:
    """Write the page that answers the question."""
    input:
        read_by("write_report"),
    output:
        **made_by("write_report"),
    log:
        log_of("write_report"),
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        job=decided_by("write_report"),
    script:
        "../scripts/run_stage.py"
