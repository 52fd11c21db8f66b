"""The grid's figures on the page: in their order, with their words, their SVG made fit for it."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.report import svg
from smearlab.store.files import read_json

KEYS = ("name", "svg", "title", "caption", "alt")
THEORY = "theory_"  # figures of this name stand beside the claims


def figure_names() -> list[str]:
    """Return the registered figures by their constant ORDER."""
    order = {name: registry.describe("figures", name).constants.get("ORDER", 100) for name in registry.names("figures")}
    return sorted(order, key=lambda name: (order[name], name))


def read_figures(folder: str | Path) -> list[dict[str, str]]:
    """Read NAME.svg and NAME.json of every registered figure that is there and not empty, in their order."""
    found = []
    for name in figure_names():
        drawn, words = Path(folder) / f"{name}.svg", Path(folder) / f"{name}.json"
        if drawn.is_file() and words.is_file() and not (said := read_json(words))["empty"]:
            found.append({"name": name, "svg": drawn.read_text(encoding="utf-8"), **said})
    return found


def drawings(figures: list[dict[str, str]], sheet: svg.Stylesheet) -> dict[str, list[dict[str, Any]]]:
    """Return the figures as the template shows them, numbered as given, those of the theory apart.

    Their styles go to the sheet. UserError for a figure that lacks something or is no SVG.
    """
    for figure in figures:
        if missing := [key for key in KEYS if key not in figure]:
            raise UserError(f"figure {figure.get('name', '?')}: lacks {', '.join(missing)}")
    drawn = [_drawing(figure, place, sheet) for place, figure in enumerate(figures)]
    theory = [drawing for drawing in drawn if drawing["name"].startswith(THEORY)]
    return {"figures": [drawing for drawing in drawn if drawing not in theory], "theory_figures": theory}


def _drawing(figure: dict[str, str], place: int, sheet: svg.Stylesheet) -> dict[str, Any]:
    words = {key: figure[key] for key in ("name", "title", "caption", "alt")}
    return {**words, "svg": Markup(svg.inline(figure["svg"], f"f{place}", sheet)), "number": place + 1}
