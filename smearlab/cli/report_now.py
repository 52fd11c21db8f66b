"""The page of a grid from what is there now, half filled or whole; nothing of it is written into results/."""

import tempfile
from pathlib import Path

from smearlab.core import registry
from smearlab.figures._save import save
from smearlab.grid.cells import Grid
from smearlab.grid.jobs import statistics_job
from smearlab.grid.registration import place
from smearlab.report.page import write_page
from smearlab.stages.collect import collect
from smearlab.stages.summarise import summarise_grid
from smearlab.store.registered import NAME, write_stamps
from smearlab.store.tables import read_tables
from smearlab.watch.registration import stamps


def write_report(grid: Grid) -> Path:
    """Write reports/NAME.html with today's tables and figures and return its path; trains nothing."""
    page = Path("reports") / f"{grid.name}.html"
    with tempfile.TemporaryDirectory() as scratch:  # results/ belongs to Snakemake; only the page is written
        folder = Path(scratch)
        collect(grid, folder)
        job = statistics_job(grid)
        summarise_grid(folder, job)
        tables = read_tables(folder)
        for figure in registry.names("figures"):
            drawing = registry.load("figures", figure).draw(tables)
            save(drawing, folder / "figures" / f"{figure}.svg", folder / "figures" / f"{figure}.json")
        if place(grid.name).exists():
            write_stamps(folder / NAME, stamps(grid))
        write_page(folder, page)
    return page
