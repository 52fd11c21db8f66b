"""The page: safe whatever the names are, small, whole for any grid, and the same bytes for the same tables."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from fake_grid import DIGITS_CELLS, draw_figures, fake_tables, student, teacher
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.core.registry import load
from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures._save import save, to_svg
from smearlab.report import svg
from smearlab.report.drawings import figure_names, read_figures
from smearlab.report.page import render, write_page, write_report
from smearlab.store.files import write_json
from smearlab.store.tables import STATISTICS

HOSTILE = [
    "<script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "</style></script><b>",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """Collects what a browser would find: elements with attributes, texts, raw style and script."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.raw, self._inside = [], {"style": [], "script": []}, None
        self.texts = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._inside = tag if tag in self.raw else self._inside

    def handle_endtag(self, tag):
        self._inside = None if tag == self._inside else self._inside

    def handle_data(self, data):
        (self.raw[self._inside] if self._inside else self.texts).append(data)

    def attributes(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]

    @property
    def said(self):
        return " ".join(" ".join(self.texts).replace("\u00a0", " ").split())


def page(tables, figures=()):
    return Page(render(tables, list(figures)))


@pytest.fixture(scope="module")
def whole():
    tables = fake_tables()
    figures = draw_figures(tables)
    return tables, figures, render(tables, figures)


def test_policy_allows_our_own_style_and_script_and_nothing_else(whole):
    found = Page(whole[2])
    (policy,) = [a["content"] for t, a in found.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "http" not in policy
    for kind in ("style", "script"):
        (code,) = found.raw[kind]
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_nothing_needs_what_the_policy_forbids(whole):
    found = Page(whole[2])
    assert not found.attributes("style") and not found.attributes("src")
    assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert {tag for tag, _ in found.elements}.isdisjoint({"link", "iframe", "object", "embed", "img", "base", "form"})
    assert "@import" not in found.raw["style"][0] and "url(" not in found.raw["style"][0]


def test_every_link_stays_on_the_page_and_arrives(whole):
    found = Page(whole[2])
    ids = found.attributes("id")
    assert len(set(ids)) == len(ids)
    targets = found.attributes("href") + [f"#{i}" for i in found.attributes("aria-labelledby")]
    targets += [value.removeprefix("url(").removesuffix(")") for value in found.attributes("clip-path")]
    assert targets and {target[1:] for target in targets} <= set(ids)
    assert all(target.startswith("#") for target in targets)


def test_hostile_names_are_text_everywhere():
    names_given = {"datasets": tuple(HOSTILE), "noises": (HOSTILE[0],), "class_names": HOSTILE}
    tables = fake_tables(cells=DIGITS_CELLS[:3], rates=(0.2,), seeds=3, **names_given)
    tables.context["title"] = tables.context["code_version"] = HOSTILE[1]
    tables.context["environment"] = dict.fromkeys(HOSTILE, HOSTILE[0])
    tables.context["missing"] = [{"role": "teacher", "method": name, "dataset": name, "why": name} for name in HOSTILE]
    html = render(tables, draw_figures(tables))
    found = Page(html)
    assert all(found.said.count(name) >= 3 for name in HOSTILE)
    assert "img" not in {tag for tag, _ in found.elements}
    assert html.count("<script") == 1 and html.count("<style") == 1 and html.count("</title>") == 1
    assert not [n for _, attributes in found.elements for n in attributes if n.startswith("on")]


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_text_is_a_possible_name(name):
    tables = fake_tables(cells=[teacher("cross_entropy")], datasets=(name,), rates=(0.2,), seeds=1, details=False)
    found = page(tables)
    assert len(found.raw["script"]) == 1 and len(found.raw["style"]) == 1


HOSTILE_SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">
<script>alert(1)</script><style>body{display:none}</style><foreignObject><p>no</p></foreignObject>
<a xlink:href="javascript:alert(1)"><text>link</text></a><image xlink:href="http://example.org/x.png"/>
<use xlink:href="http://example.org/x.svg#a"/><use xlink:href="#kept"/><path id="kept" d="M 0 0 L 1 1"
style="fill: url(http://example.org); stroke: #22262c; background: red; stroke-width: 1}body{display:none"/>
<text x="1" onclick="alert(1)">&lt;b&gt;seen</text><set attributeName="href" to="javascript:alert(1)"/></svg>"""


def test_a_hostile_drawing_keeps_its_lines_and_loses_the_rest():
    sheet = svg.Stylesheet()
    clean = svg.inline(HOSTILE_SVG, "f0", sheet)
    for word in ("script", "alert", "foreignObject", "example.org", "onload", "onclick", "<set", "<image", "<a"):
        assert word not in clean
    assert 'd="M 0 0 L 1 1"' in clean and 'id="f0-kept"' in clean and 'href="#f0-kept"' in clean
    assert "&lt;b&gt;seen" in clean
    assert sheet.css() == "figure .s0{stroke:var(--ink)}"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("data:image/png;base64,iVBO\nRw0=", 'href="data:image/png;base64,iVBORw0="'),
        ("data:image/svg+xml;base64,iVBORw0=", ""),
        ("data:image/png;base64,iVBO&quot; onload=&quot;x", ""),
        ("file:///x.png", ""),
    ],
)
def test_a_drawing_may_hold_a_picture_of_its_own_and_no_other(address, kept):
    source = f'<image width="2" height="2" xlink:href="{address}"/><rect x="1" width="2" height="2"/>'
    heads = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    clean = svg.inline(f"<svg {heads}>{source}</svg>", "f0", svg.Stylesheet())
    assert ("<image" in clean) == bool(kept) and kept in clean and clean.count("href") == bool(kept)
    assert "<rect" in clean


@pytest.mark.parametrize("bad", ["not xml", "<html/>", '<!DOCTYPE a [<!ENTITY b "c">]><svg/>', "<svg>", ""])
def test_what_is_no_drawing_is_refused_in_one_line(bad):
    with pytest.raises(UserError) as error:
        svg.inline(bad, "f0", svg.Stylesheet())
    assert "\n" not in str(error.value)


def test_two_drawings_with_the_same_ids_do_not_meet():
    parts = '<clipPath id="p"><rect/></clipPath><g clip-path="url(#p)"><rect/></g>'
    source = f'<svg xmlns="http://www.w3.org/2000/svg">{parts}</svg>'
    first, second = (svg.inline(source, prefix, svg.Stylesheet()) for prefix in ("f0", "f1"))
    assert "url(#f0-p)" in first and "url(#f1-p)" in second and "f0" not in second


def test_same_tables_same_bytes(whole, tmp_path):
    tables, figures, html = whole
    write_report(tables, figures, tmp_path / "a.html")
    write_report(fake_tables(), figures, tmp_path / "b.html")
    first, second = ((tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second
    assert first.startswith(html.encode())  # what follows is the page's own SHA-256


def test_the_page_of_saved_files_is_the_page_of_the_drawings(tmp_path):
    tables = fake_tables(cells=DIGITS_CELLS[:3], rates=(0.2,), seeds=3)
    tables.metrics.to_parquet(tmp_path / "metrics.parquet")
    tables.summary.to_csv(tmp_path / "summary.csv", index=False)
    tables.history.to_parquet(tmp_path / "history.parquet")
    tables.curves.to_parquet(tmp_path / "curves.parquet")
    for name in (table for table in STATISTICS if table != "reference"):
        getattr(tables, name).to_csv(tmp_path / f"{name}.csv", index=False)
    write_json(tmp_path / "context.json", tables.context)
    drawn = {name: load("figures", name).draw(tables) for name in figure_names()}
    for name, drawing in drawn.items():
        save(drawing, tmp_path / "figures" / f"{name}.svg", tmp_path / "figures" / f"{name}.json")
    write_page(tmp_path, tmp_path / "out" / "page.html")
    shown = [name for name, drawing in drawn.items() if drawing is not None]
    assert [figure["name"] for figure in read_figures(tmp_path / "figures")] == shown
    figures = [vars(drawn[name]) | {"name": name, "svg": to_svg(drawn[name])} for name in shown]
    assert (tmp_path / "out" / "page.html").read_text().startswith(render(tables, figures))  # its own hash follows


def test_a_page_opens_with_the_answer_the_advice_and_the_noise(whole):
    headings = [a.get("id") for t, a in Page(whole[2]).elements if t == "section" and "id" in a]
    opening = [name for name in ("answer", "advice", "estimates") if name in headings]
    assert headings[: len(opening) + 3] == [*opening, "glance", "questions", "figures"] and len(opening) > 1


def test_every_cell_of_the_summary_is_in_the_tables(whole):
    tables, _, html = whole
    found = Page(html)
    assert sum(tag == "tr" for tag, _ in found.elements) > 2 * len(tables.summary)
    for _, row in tables.summary[tables.summary["ci_low"].notna()].iterrows():
        assert text.interval(*cells.ends_beside(row)) in found.said


def test_figures_and_tables_can_be_used_without_seeing_or_pointing(whole):
    found = Page(whole[2])
    drawings = [a for t, a in found.elements if a.get("role") == "img"]
    assert len(drawings) == len(whole[1]) and all(len(a["aria-label"]) > 40 for a in drawings)
    assert all("scope" in a for t, a in found.elements if t == "th")
    assert all(a.get("tabindex") == "0" for _, a in found.elements if a.get("role") == "region")
    levels = [int(t[1]) for t, _ in found.elements if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1 and levels.count(1) == 1 and max(np.diff(levels)) <= 1
    assert ("a", {"class": "skip", "href": "#answer"}) in found.elements


def test_verdicts_can_be_read_without_colour(whole):
    chips = re.findall(r'class="v v-(\w+)">([^<]+)<', whole[2])
    assert len({slug for slug, _ in chips}) >= 4
    assert all(said.strip() for _, said in chips)
    marks = dict(re.findall(r'\.v-(\w+)::before\{content:"(.)"\}', whole[2]))
    assert len(set(marks.values())) == len(marks) and {slug for slug, _ in chips} <= set(marks)


def test_missing_cells_are_named_with_their_reason():
    tables = fake_tables(keep=lambda cell: cell["noise_rate"] < 0.3, details=False)
    said = page(tables).said
    assert "28 of 42 cells computed" in said
    assert "Missing (14)" in said and "not computed yet" in said and "○" not in said
    assert "cannot say yet" in said or "is not computed yet at 40 %" in said


def test_diverged_networks_are_counted_with_their_reason():
    def fails(cell):
        return cell["method"] == "backward" and cell["noise_rate"] == 0.4

    tables = fake_tables(diverged=fails, details=False)
    said = page(tables).said
    assert "5 diverged" in said and "Diverged (5)" in said and "the loss is not finite in epoch 3" in said


def test_a_whole_grid_says_that_nothing_is_missing(whole):
    assert "Nothing is missing, nothing diverged" in Page(whole[2]).said


def test_accepted_rows_are_said():
    tables = fake_tables(seeds=1, details=False)
    tables.context["accepted"] = 3
    assert "3 rows of metrics.csv were made by an earlier version" in page(tables).said


def test_noisy_test_labels_are_said_beside_the_answer():
    said = page(fake_tables(clean=False, details=False)).said
    assert "No clean labels are known for digits" in said and "agreement with noisy test labels" in said


def test_recipe_environment_and_code_are_there_and_where_the_times_are(whole):
    said = Page(whole[2]).said
    for fact in ("optimiser.learning_rate 0.05", "torch 2.9.1", "0.1.0 (1f2e3d4)", "python -m smearlab cost digits"):
        assert fact in said
    assert "450 test images" in said and "20 % asked, 20.06 % realised" in said


def test_computed_claims_say_whether_they_hold(whole):
    said = Page(whole[2]).said
    assert "holds Smoothing bounds the loss from below" in said
    assert "does not hold Noise on one class" in said


GRIDS = {
    "nothing computed": {"keep": lambda cell: False},
    "one rate": {"rates": (0.4,)},
    "no smoothing": {"cells": [teacher("cross_entropy"), teacher("forward", transition="true")]},
    "students missing": {"keep": lambda cell: cell["role"] == "teacher"},
    "all diverged": {"diverged": lambda cell: True},
    "one replicate": {"seeds": 1},
    "students only": {"cells": [student("label_smoothing", 2.0, 0.2)]},
    "many conditions": {"datasets": ("a", "b"), "noises": ("symmetric", "pair_flip"), "rates": (0.2,), "seeds": 3},
}


@pytest.mark.parametrize("grid", GRIDS)
def test_every_grid_gets_a_page(grid):
    tables = fake_tables(details=False, **GRIDS[grid])
    found = page(tables)
    assert "The answer" in found.said and " nan" not in found.said and "None" not in found.said


def test_an_empty_context_still_gives_a_page():
    tables = fake_tables(keep=lambda cell: False)
    tables.context.clear()
    tables.config.clear()
    assert "This grid cannot say" in page(tables).said


def test_two_thousand_cells_stay_under_three_and_a_half_megabytes(whole):
    strengths = [teacher("label_smoothing", round(0.025 * k, 3)) for k in range(1, 38)]
    corrections = [teacher(name, transition="true") for name in ("forward", "backward")]
    tables = fake_tables(
        cells=[teacher("cross_entropy"), *strengths, *corrections],
        datasets=("cifar10", "digits"),
        noises=("symmetric", "pair_flip", "asymmetric", "instance_dependent", "uniform_redraw"),
        rates=(0.0, 0.1, 0.2, 0.3, 0.4),
        seeds=3,
        details=False,
    )
    assert len(tables.summary) == 2000
    detailed = [figure for figure in whole[1] if figure["name"] in DETAILED]
    assert len(detailed) == len(DETAILED)
    html = render(tables, [*draw_figures(tables), *detailed])
    assert len(html.encode()) < 3.5e6


DETAILED = {"training_curves", "reliability", "margins"}


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0.0"), (0.0123, "+1.2"), (-0.0123, "−1.2"), (0.0003, "+0.03"), (float("nan"), "–")]
)
def test_points_keep_their_sign_and_do_not_hide_small_differences(value, said):
    assert text.points(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1.23, "1.2 s"), (59.2, "59 s"), (75, "1 min 15 s"), (3725, "1 h 02 min"), (86400, "24 h 00 min")],
)
def test_durations(seconds, said):
    assert text.wall_time(seconds) == said
