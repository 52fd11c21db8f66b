"""The page's HTML from its template, with style and script inside: it opens without network and runs nothing else."""

import base64
import hashlib
import re
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from smearlab.core.errors import UserError
from smearlab.figures import _theme as theme

DOCUMENT = "<!doctype html>"
UNBREAKABLE = re.compile(r" = (?=\S)|(?<=\d) (?=%)|(?<=±) ")


PAGE = "template.html.j2"


def fill(view: dict[str, Any], drawing_styles: str, template: str = PAGE) -> str:
    """Return a page: a template with all that it shows, its own style with that of the drawings, its script.

    The macros of the report's template, which stand before its document, are known to every template.
    """
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_glued, trim_blocks=True, lstrip_blocks=True
    )
    style = f"{theme.variables()}\n{_resource('style.css')}\n{drawing_styles}"
    script = _resource("page.js")
    code = {"style": _inert(style), "script": _inert(script)}
    hashes = {"style_hash": _csp_hash(style), "script_hash": _csp_hash(script)}
    macros, _, page = _resource(PAGE).partition(DOCUMENT)
    page = page if template == PAGE else _resource(template).removeprefix(DOCUMENT)
    return environment.from_string(f"{macros}{DOCUMENT}{page}").render(**view, **code, **hashes)


def _glued(value: Any) -> Any:
    """Keep what belongs together on one line: n = 5, 40 %, ± 0.5."""
    if type(value) is not str:
        return value
    return UNBREAKABLE.sub(lambda found: found.group().replace(" ", "\u00a0"), value)


def _inert(code: str) -> Markup:
    """Mark our own style or script as safe to embed: it may not close its element."""
    if "</" in code:
        raise UserError("the page's style and script may not contain '</'")
    return Markup(code)


def _resource(name: str) -> str:
    return resources.files("smearlab.report").joinpath(name).read_text(encoding="utf-8")


def _csp_hash(code: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
