"""Values on hover: what a mark says reaches the page as text, without a script, within the figure."""

import re

import pytest
from fake_grid import DIGITS_CELLS, fake_tables

from smearlab.core import registry
from smearlab.figures import _style as look
from smearlab.figures._drawing import Drawing
from smearlab.figures._hover import SAID, say
from smearlab.figures._save import to_svg
from smearlab.report import svg

TIP = re.compile(r'<text class="tip" x="([-0-9.]+)" y="([-0-9.]+)">([^<]*)</text>')
FIGURES = ("accuracy_alpha", "methods", "students", "memorised_recovered")


@pytest.fixture(scope="module")
def tables():
    return fake_tables(cells=DIGITS_CELLS, rates=(0.0, 0.4), seeds=3)


def drawn(*marks: tuple[float, float, str]) -> str:
    """Return a figure with these marks as it stands on the page."""
    with look.style():
        figure, ((ax,),) = look.panels(1, 1, height=2.0)
        ax.set(xlim=(0, 1), ylim=(0, 1))
        for mark in marks:
            say(ax, *mark)
    return svg.inline(to_svg(Drawing(figure, "t", "c.", "a.")), "f0", svg.Stylesheet())


def test_a_mark_says_its_value_beside_it():
    page = drawn((0.0, 0.5, "left"), (1.0, 0.5, "right"))
    assert page.count('<g class="said">') == 2
    (x, _, left), (far, _, right) = TIP.findall(page)
    assert (left, right) == ("left", "right") and float(x) < float(far)
    assert "<title" not in page and SAID not in page and "<script" not in page


def test_a_long_value_stays_within_the_figure():
    ((x, _, said),) = TIP.findall(drawn((1.0, 1.0, "a" * 60)))
    assert 0 <= float(x) <= 72 * look.WIDTH - svg.LETTER * 60 and len(said) == 60


def test_what_is_not_there_says_nothing_and_a_hostile_value_stays_text():
    assert not TIP.findall(drawn((float("nan"), 0.5, "nothing")))
    page = drawn((0.5, 0.5, '"><script>alert(1)</script>'))
    assert "<script" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_with_marks_say_values(tables, name):
    page = svg.inline(to_svg(registry.load("figures", name).draw(tables)), "f0", svg.Stylesheet())
    said = [text for _, _, text in TIP.findall(page)]
    assert said and all("n = 3" in text and ":" in text for text in said)


def test_a_mean_is_said_with_its_spread_and_n(tables):
    page = svg.inline(to_svg(registry.load("figures", "accuracy_alpha").draw(tables)), "f0", svg.Stylesheet())
    rows = tables.summary[(tables.summary["role"] == "teacher") & (tables.summary["noise_rate"] == 0.4)]
    plain = rows[rows["method"] == "cross_entropy"].iloc[0]
    assert f"cross-entropy: {100 * plain['mean']:.1f} ± {100 * plain['std']:.1f} %, n = 3" in page
