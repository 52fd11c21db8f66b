"""One figure and its caption."""

from pathlib import Path

from smearlab.core import registry
from smearlab.core.jobs import FigureJob
from smearlab.figures._save import save
from smearlab.store.inputs import Files
from smearlab.store.tables import read_tables


def run(job: FigureJob, inputs: Files, outputs: Files) -> None:
    """Draw one figure from the grid's tables and write its SVG and its words."""
    tables = read_tables(Path(inputs["metrics"]).parent)
    save(registry.load("figures", job.figure).draw(tables), outputs["svg"], outputs["text"])
