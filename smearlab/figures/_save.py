"""Write a drawing as SVG with the same bytes every time, and its words beside it."""

import io
from pathlib import Path

from matplotlib import rc_context

from smearlab.figures._drawing import Drawing
from smearlab.figures._style import style
from smearlab.store.files import sha256_file, write_sealed, write_text

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
    """Write NAME.svg and NAME.json {title, caption, alt, empty, svg_sha256}; a placeholder for nothing to draw."""
    write_text(svg_path, EMPTY if drawing is None else to_svg(drawing))
    words = {key: getattr(drawing, key, "") for key in ("title", "caption", "alt")}
    write_sealed(json_path, {**words, "empty": drawing is None, "svg_sha256": sha256_file(svg_path)})


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
