"""What a paper takes from a finished grid: its tables as LaTeX or Markdown, its figures as PDF."""

from collections.abc import Iterator
from pathlib import Path

from smearlab.core import registry
from smearlab.grid.cells import RESULTS
from smearlab.store.files import write_bytes, write_text
from smearlab.store.tables import read_tables

SUFFIXES = {"latex": "tex", "markdown": "md"}


def write_tables(name: str, form: str, out: str | None = None) -> Iterator[Path]:
    """Write each table of a grid as a file of its own, form latex or markdown; yield their paths."""
    from smearlab.report.markup import latex, markdown
    from smearlab.report.paper import paper_tables

    write = {"latex": latex, "markdown": markdown}[form]
    for named in paper_tables(read_tables(Path(RESULTS, name))):
        path = _folder(name, out) / f"{named.name}.{SUFFIXES[form]}"
        write_text(path, write(named.table))
        yield path


def write_figures(name: str, form: str, out: str | None = None) -> Iterator[Path]:
    """Draw each figure of a grid that has something to show, form pdf, svg or png; yield the paths."""
    from smearlab.figures._save import rendered

    tables = read_tables(Path(RESULTS, name))
    for figure in registry.names("figures"):
        drawing = registry.load("figures", figure).draw(tables)
        if drawing is not None:
            path = _folder(name, out) / f"{figure}.{form}"
            write_bytes(path, rendered(drawing, form))
            write_text(path.with_suffix(".txt"), f"{drawing.title}\n\n{drawing.caption}\n")
            yield path


def _folder(name: str, out: str | None) -> Path:
    return Path(out) if out else Path("exports") / name
