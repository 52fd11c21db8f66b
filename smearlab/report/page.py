"""The report: one HTML file that opens without network and answers the question first."""

import json
from pathlib import Path
from typing import Any

from smearlab.figures import _format as text
from smearlab.report import given_labels, memorising, svg
from smearlab.report.answer import answer
from smearlab.report.drawings import drawings, read_figures
from smearlab.report.facts import Facts, facts
from smearlab.report.label_doubts import sentences
from smearlab.report.questions import loss_corrections, passing_on, shrinkage, student, symmetric_noise
from smearlab.report.questions._reply import Reply
from smearlab.report.sections import estimates as estimated
from smearlab.report.sections import side_by_side, stopping
from smearlab.report.sections import suspects as suspected
from smearlab.report.sections.absent import absent
from smearlab.report.sections.advice import advice
from smearlab.report.sections.class_recalls import class_recalls
from smearlab.report.sections.data import data, is_redrawn
from smearlab.report.sections.every_cell import every_cell
from smearlab.report.sections.glance import glances
from smearlab.report.sections.numbers import numbers
from smearlab.report.sections.own_treatment import own_treatment
from smearlab.report.sections.passed_on import passed_on
from smearlab.report.sections.published import published, unknown
from smearlab.report.sections.reading import binomial_errors, verdict_chips
from smearlab.report.sections.recipes import recipes
from smearlab.report.sections.registered import changed, registered
from smearlab.report.sections.single_networks import single_networks
from smearlab.report.sections.spread import spread
from smearlab.report.sections.standing import standing
from smearlab.report.sections.state import state
from smearlab.report.sections.take_home import take_home
from smearlab.report.sections.theory import claims
from smearlab.report.template import fill
from smearlab.store.hashed_page import write_hashed_page
from smearlab.store.tables import Tables, read_tables


def write_page(folder: str | Path, out: str | Path) -> None:
    """Write the report of results/<name>/ from its tables and its saved figures."""
    write_report(read_tables(folder), read_figures(Path(folder) / "figures"), out)


def write_report(tables: Tables, figures: list[dict[str, str]], out: str | Path) -> None:
    """Write the report as one file.

    figures: name, svg (text), title, caption, alt of each, in the order of the page. The same tables and figures
    give the same bytes.
    """
    write_hashed_page(out, render(tables, figures))


def render(tables: Tables, figures: list[dict[str, str]]) -> str:
    """Return the page's HTML."""
    sheet = svg.Stylesheet()
    shown = drawings(figures, sheet)
    return fill({**_view(tables), **shown}, sheet.css())


def replies(tables: Tables, known: Facts) -> list[Reply]:
    """Return what the grid says to the four research questions of Lukasik et al. 2020; [] without true test labels."""
    summary = given_labels.judged(tables.summary, known)
    if len(tables.summary) and not len(summary):
        return []
    return [
        symmetric_noise.reply(summary, known, tables.mitigation),
        loss_corrections.reply(summary, known, tables.rivals),
        student.reply(summary),
        shrinkage.reply(summary, known, tables.metrics),
    ]


def _view(tables: Tables) -> dict[str, Any]:
    """All that the template shows beside figures, style and script."""
    known = facts(tables)
    return _opening(tables, known) | _sections(tables) | _making(tables) | _reading(tables, known)


def _opening(tables: Tables, known: Facts) -> dict[str, Any]:
    return {
        "name": tables.context.get("name", ""),
        "title": tables.context.get("title") or "Does label smoothing mitigate label noise?",
        "label_doubts": sentences(tables.context.get("doubts", [])),
        "changed": changed(tables.registrations),
        "answer": answer(tables.summary, known, tables.mitigation),
        "state": state(tables),
        "measure": tables.measure,
        "noisy_only": sorted(name for name, clean in known.clean.items() if not clean),
        "judged": not known.clean or any(known.clean.values()),
        "glances": glances(tables),
        "own_treatment": own_treatment(tables),
        "memorising": memorising.sentences(tables),
        "replies": replies(tables, known),
        "stopping": stopping.stopping(tables),
        "stopping_said": stopping.sentences(tables, known),
    }


def _sections(tables: Tables) -> dict[str, Any]:
    return {
        "passing": passing_on.reply(tables),
        "passed_on": passed_on(tables),
        "side_by_side": side_by_side.side_by_side(tables),
        "inside_said": side_by_side.sentences(tables),
        "inside": every_cell(tables),
        "advice": advice(tables),
        "suspects": suspected.suspects(tables),
        "suspect_sheets": suspected.sheets(tables),
        "annotators": suspected.annotators(tables),
        "per_class": suspected.per_class(tables),
        "take_home": take_home(tables),
        "estimates": estimated.estimates(tables),
        "estimates_said": estimated.sentences(tables),
        "estimates_worth": estimated.worth_known(tables),
        "published": published(tables),
        "unpublished": unknown(tables),
        "claims": claims(tables.context),
        "numbers": numbers(tables),
        "class_recalls": class_recalls(tables),
        "replicates": single_networks(tables),
        "spread": [*standing(tables), *spread(tables)],
        "absent": absent(tables),
    }


def _making(tables: Tables) -> dict[str, Any]:
    context = tables.context
    return {
        "registered": registered(tables.registrations),
        "accepted": int(context.get("accepted", 0)),
        "data": data(context),
        "recipes": recipes(tables.config),
        "config": json.dumps(tables.config, indent=2, ensure_ascii=False),
        "environment": [(key, str(value)) for key, value in context.get("environment", {}).items() if value],
        "code_version": str(context.get("code_version", "")),
    }


def _reading(tables: Tables, known: Facts) -> dict[str, Any]:
    return {
        "margin": text.plain(known.margin),
        "redrawn": is_redrawn(tables.context),
        "binomial": binomial_errors(tables.summary, known),
        "verdicts": verdict_chips(),
    }
