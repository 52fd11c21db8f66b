"""The page that answers the question."""

from pathlib import Path

from smearlab.core.jobs import ReportJob
from smearlab.report.page import write_page
from smearlab.store.inputs import Files


def run(job: ReportJob, inputs: Files, outputs: Files) -> None:
    """Write the page from the grid's tables and figures."""
    write_page(Path(inputs["metrics"]).parent, outputs["page"])
