"""Write a drawing as SVG with the same bytes every time, and its words beside it."""

import io
from pathlib import Path

from matplotlib import rc_context

from smearlab.figures._drawing import Drawing
from smearlab.figures._style import style
from smearlab.store.files import write_json, write_text

UNDATED: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
EMPTY = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 40" width="400" height="40">'
    '<text x="8" y="24" font-family="sans-serif" font-size="12">No data for this figure yet.</text></svg>\n'
)


def save(drawing: Drawing | None, svg_path: str | Path, json_path: str | Path) -> None:
    """Write NAME.svg and NAME.json {title, caption, alt, empty}; a placeholder where there is nothing to draw."""
    if drawing is None:
        write_text(svg_path, EMPTY)
        write_json(json_path, {"title": "", "caption": "", "alt": "", "empty": True})
        return
    write_text(svg_path, to_svg(drawing))
    words = {"title": drawing.title, "caption": drawing.caption, "alt": drawing.alt, "empty": False}
    write_json(json_path, words)


def to_svg(drawing: Drawing) -> str:
    """Return the SVG text: no date, no random ids, text as text."""
    return rendered(drawing, "svg").decode()


def rendered(drawing: Drawing, form: str) -> bytes:
    """Return a drawing as svg, pdf or png, the same bytes every time: no date, no random ids, text as text."""
    buffer = io.BytesIO()
    with style(), rc_context({"pdf.fonttype": 42}):  # TrueType: text in a PDF stays text
        drawing.figure.savefig(buffer, format=form, metadata=UNDATED[form])
    drawing.figure.set_layout_engine("none")  # laid out once: a second pass would move things a little
    return buffer.getvalue()
