"""The report: one HTML file that opens without network and answers the question first."""

import base64
import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.figures import _format as text
from smearlab.figures import _theme as theme
from smearlab.figures._save import to_svg
from smearlab.report import blocks, inside, label_doubts, passing, svg, words
from smearlab.store.files import read_json, write_text
from smearlab.store.tables import Tables, read_tables

FIGURE_KEYS = ("name", "svg", "title", "caption", "alt")


def write_page(folder: str | Path, out: str | Path) -> None:
    """Write the report of results/<name>/ from its tables and its saved figures."""
    write_report(read_tables(folder), read_figures(Path(folder) / "figures"), out)


def write_report(tables: Tables, figures: list[dict[str, str]], out: str | Path) -> None:
    """Write the report as one file.

    figures: name, svg (text), title, caption, alt of each, in the order of the page. The same tables and figures
    give the same bytes.
    """
    write_text(out, render(tables, figures))


def read_figures(folder: str | Path) -> list[dict[str, str]]:
    """Read NAME.svg and NAME.json of every registered figure that is there and not empty, in their order."""
    found = []
    for name in figure_names():
        drawn, words_path = Path(folder) / f"{name}.svg", Path(folder) / f"{name}.json"
        if drawn.is_file() and words_path.is_file() and not (said := read_json(words_path))["empty"]:
            found.append({"name": name, "svg": drawn.read_text(encoding="utf-8"), **said})
    return found


def draw_figures(tables: Tables) -> list[dict[str, str]]:
    """Draw every registered figure that has something to show, in their order."""
    drawn = [(name, registry.load("figures", name).draw(tables)) for name in figure_names()]
    return [
        {"name": name, "svg": to_svg(d), "title": d.title, "caption": d.caption, "alt": d.alt}
        for name, d in drawn
        if d is not None
    ]


def figure_names() -> list[str]:
    """Return the registered figures by their constant ORDER."""
    order = {name: registry.describe("figures", name).constants.get("ORDER", 100) for name in registry.names("figures")}
    return sorted(order, key=lambda name: (order[name], name))


def render(tables: Tables, figures: list[dict[str, str]]) -> str:
    """Return the page's HTML."""
    for figure in figures:
        if missing := [key for key in FIGURE_KEYS if key not in figure]:
            raise UserError(f"figure {figure.get('name', '?')}: lacks {', '.join(missing)}")
    sheet = svg.Stylesheet()
    drawn = [_figure(figure, i, sheet) for i, figure in enumerate(figures)]
    style = f"{theme.variables()}\n{_resource('style.css')}\n{sheet.css()}"
    script = _resource("page.js")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_glued, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_resource("template.html.j2"))
    shown = {"figures": [f for f in drawn if not f["theory"]], "theory_figures": [f for f in drawn if f["theory"]]}
    view = _view(tables) | shown | {"style": _inert(style), "script": _inert(script)}
    return template.render(**view, style_hash=_csp_hash(style), script_hash=_csp_hash(script))


def _figure(figure: dict[str, str], place: int, sheet: svg.Stylesheet) -> dict[str, Any]:
    drawing = jinja2.utils.markupsafe.Markup(svg.inline(figure["svg"], f"f{place}", sheet))
    words_ = {key: figure[key] for key in ("name", "title", "caption", "alt")}
    return words_ | {"svg": drawing, "number": place + 1, "theory": figure["name"].startswith("theory_")}


def _glued(value: Any) -> Any:
    """Keep what belongs together on one line: n = 5, 40 %, ± 0.5."""
    if type(value) is not str:
        return value
    return re.sub(r" = (?=\S)|(?<=\d) (?=%)|(?<=±) ", lambda found: found.group().replace(" ", "\u00a0"), value)


def _inert(code: str) -> Any:
    """Mark our own style or script as safe to embed: it may not close its element."""
    if "</" in code:
        raise UserError("the page's style and script may not contain '</'")
    return jinja2.utils.markupsafe.Markup(code)


def _resource(name: str) -> str:
    return resources.files("smearlab.report").joinpath(name).read_text(encoding="utf-8")


def _csp_hash(code: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _view(tables: Tables) -> dict[str, Any]:
    """All that the template shows beside figures, style and script."""
    known, context = words.facts(tables), tables.context
    summary = tables.summary
    return {
        "name": context.get("name", ""),
        "title": context.get("title") or "Does label smoothing mitigate label noise?",
        "label_doubts": label_doubts.sentences(context.get("doubts", [])),
        "answer": words.answer(summary, known),
        "replies": words.replies(summary, known, tables.metrics),
        "state": _state(tables),
        "glances": blocks.glances(tables),
        "passing": passing.reply(tables),
        "passed_on": passing.block(tables),
        "side_by_side": inside.side_by_side(tables),
        "inside_said": inside.sentences(tables),
        "inside": inside.every_cell(tables),
        "advice": blocks.advice(tables),
        "estimates": blocks.estimates(tables),
        "published": blocks.published(tables),
        "numbers": blocks.numbers(tables),
        "replicates": blocks.replicates(tables),
        "spread": blocks.spread(tables),
        "absent": blocks.absent(tables),
        "accepted": int(context.get("accepted", 0)),
        "claims": blocks.claims(context),
        "data": _data(context),
        "recipes": {name: blocks.settings(recipe) for name, recipe in tables.config.get("recipes", {}).items()},
        "config": json.dumps(tables.config, indent=2, ensure_ascii=False),
        "cost": blocks.cost(tables),
        "speed": blocks.speed(tables),
        "environment": [(key, str(value)) for key, value in context.get("environment", {}).items() if value],
        "code_version": str(context.get("code_version", "")),
        "margin": text.plain(known.margin),
        "binomial": words.binomial_error(summary, known),
        "noisy_only": sorted(name for name, clean in known.clean.items() if not clean),
    }


def _state(tables: Tables) -> list[str]:
    """How far the grid is, in a few short facts."""
    summary, metrics = tables.summary, tables.metrics
    computed = int((summary["n"] > 0).sum())
    networks = metrics.drop_duplicates(["cell", "noise_seed", "seed"])
    diverged = int((networks["status"] == "diverged").sum())
    return [
        f"{text.whole(computed)} of {text.counted(len(summary), 'cell')} computed",
        text.counted(len(networks), "network"),
        *([f"{diverged} diverged"] if diverged else []),
    ]


def _data(context: dict[str, Any]) -> list[dict[str, Any]]:
    realised = context.get("noises", [])
    return [
        {
            "name": name,
            "facts": _data_facts(facts),
            "classes": [str(c) for c in facts.get("class_names") or []],
            "notes": [str(note) for note in facts.get("notes") or []],
            "noises": [_noise_fact(n) for n in realised if n.get("dataset", name) == name],
        }
        for name, facts in context.get("datasets", {}).items()
    ]


def _data_facts(facts: dict[str, Any]) -> str:
    parts = [
        f"{text.counted(facts[f'n_{part}'], f'{part} image')}"
        for part in ("train", "validation", "test")
        if facts.get(f"n_{part}") is not None
    ]
    shape = facts.get("shape")
    return ", ".join([*parts, *(["×".join(map(str, shape))] if shape else [])])


def _noise_fact(noise: dict[str, Any]) -> str:
    rate, realised = noise.get("rate"), noise.get("realised")
    asked = "no rate asked" if rate is None else f"{text.rate(rate)} asked"
    got = "" if realised is None else f", {text.percent(realised, 2)} realised"
    return f"{str(noise['noise']).replace('_', ' ')}: {asked}{got}"
