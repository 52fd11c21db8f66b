"""Figures: drawn from any grid, the same bytes every time, with captions that follow from the numbers."""

import json
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fake_grid import DIGITS_CELLS, fake_tables, student, teacher

from smearlab.core import registry
from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.figures import _style as look
from smearlab.figures._save import save, to_svg
from smearlab.figures.alpha_rate import _limit, edges
from smearlab.figures.margins import positive_share
from smearlab.figures.memorised_recovered import means

OF_OTHER_GRIDS = ("estimator_error",)  # shown by grids with an estimated or perturbed T; has its own tests
NAMES = tuple(name for name in registry.names("figures") if name not in OF_OTHER_GRIDS)
OF_EVERY_GRID = {
    *("accuracy_alpha", "alpha_rate", "methods", "students", "memorised_recovered", "training_curves", "reliability"),
    *("margins", "confidence", "projection", "theory_losses", "theory_separator"),
}
SOME_CELLS = [
    teacher("cross_entropy"),
    teacher("label_smoothing", 0.1),
    teacher("label_smoothing", 0.8),
    teacher("backward", transition="true"),
    student("cross_entropy", 4.0),
    student("label_smoothing", 4.0, 0.1),
]
GRIDS = {
    "nothing computed": {"keep": lambda cell: False},
    "half": {"keep": lambda cell: cell["noise_rate"] < 0.3 and cell["role"] == "teacher"},
    "no clean labels": {"clean": False},
    "one rate": {"rates": (0.4,)},
    "clean labels only": {"rates": (0.0,)},
    "one replicate": {"seeds": 1},
    "all diverged": {"diverged": lambda cell: True},
    "baseline diverged": {"diverged": lambda cell: cell["method"] == "cross_entropy"},
    "no smoothing": {"cells": [teacher("cross_entropy"), teacher("forward", transition="true")]},
    "plain only": {"cells": [teacher("cross_entropy")]},
    "students only": {"cells": [student("label_smoothing", 2.0, 0.2)]},
    "unknown methods": {"cells": [teacher("cross_entropy"), *(teacher(f"new_{i}") for i in range(9))]},
    "odd names": {"datasets": ("a$b_{c}$", "_hidden"), "noises": ("<&>",), "rates": (0.2,)},
}


@pytest.fixture(scope="module")
def whole():
    return fake_tables()


@pytest.fixture(scope="module")
def drawings(whole):
    drawn = {name: registry.load("figures", name).draw(whole) for name in NAMES}
    return {name: drawing for name, drawing in drawn.items() if drawing is not None}


@pytest.mark.parametrize("grid", GRIDS)
def test_every_grid_gives_a_drawing_or_nothing(grid):
    tables = fake_tables(**({"seeds": 3, "cells": SOME_CELLS} | GRIDS[grid]))
    for name in NAMES:
        drawing = registry.load("figures", name).draw(tables)
        if drawing is not None:
            assert drawing.title and drawing.caption.endswith(".") and drawing.alt.endswith(".")
            assert "nan" not in drawing.caption + drawing.alt
            assert to_svg(drawing).rstrip().endswith("</svg>")


def test_a_whole_grid_shows_its_figures_with_their_n(drawings):
    assert set(drawings) >= OF_EVERY_GRID
    for name, drawing in drawings.items():
        assert "n = 5" in drawing.caption or name.startswith("theory_")


def test_a_panel_without_any_of_the_methods_that_are_shown_is_drawn():
    """Figure 1 shows seven methods; in one of its panels only the last of ten was run."""
    many = [teacher("cross_entropy"), *(teacher(f"new_{i}") for i in range(9))]
    whole = fake_tables(cells=many, datasets=("a", "b"), rates=(0.4,), seeds=2)
    rows = whole.summary
    part = replace(whole, summary=rows[(rows["dataset"] == "a") | (rows["method"] == "new_8")])
    drawing = registry.load("figures", "accuracy_alpha").draw(part)
    assert drawing is not None and len(drawing.figure.axes) == 2 and "nan" not in drawing.caption + drawing.alt
    assert to_svg(drawing).rstrip().endswith("</svg>")


def test_nothing_computed_shows_nothing():
    tables = fake_tables(keep=lambda cell: False)
    tables.context.pop("theory")
    assert {name: registry.load("figures", name).draw(tables) for name in NAMES} == dict.fromkeys(NAMES)


def test_same_tables_same_bytes(whole, drawings):
    for name, drawing in drawings.items():
        assert to_svg(registry.load("figures", name).draw(whole)) == to_svg(drawing), name


def test_only_named_colours_are_used(drawings):
    """The page replaces them by variables that have a second value for dark pages."""
    for name, drawing in drawings.items():
        used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", to_svg(drawing)))
        assert used <= {light for light, _ in look.TOKENS.values()}, name


def test_named_colours_are_distinct_so_that_they_can_be_found():
    lights = [light for light, _ in look.TOKENS.values()]
    assert len(set(lights)) == len(lights)


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize(("names", "least"), [(["ink", "muted"], 4.5), (list(look.METHODS), 3.0)])
def test_text_and_lines_stand_out_on_light_and_dark_pages(page, names, least):
    """WCAG 2.2: 4.5 for text, 3 for graphics."""
    for name in names:
        assert contrast(look.TOKENS[name][page], look.TOKENS["paper"][page]) >= least, name


def test_a_method_has_one_colour_and_marker_however_many_others_there_are():
    few = look.method_style(["cross_entropy", "label_smoothing"])
    many = look.method_style(["new", "label_smoothing", "forward", "cross_entropy", "backward"])
    assert all(few[i][m] == many[i][m] for i in (0, 1) for m in ("cross_entropy", "label_smoothing"))
    assert len(set(many[0].values())) == 5 and len(set(many[1].values())) == 5


def test_a_reader_s_settings_do_not_reach_the_figure(whole):
    module = registry.load("figures", "methods")
    ours = to_svg(module.draw(whole))
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "axes.grid": False}):
        assert to_svg(module.draw(whole)) == ours


def test_saved_figure_has_no_date_and_words_beside_it(tmp_path, drawings):
    save(drawings["methods"], tmp_path / "a.svg", tmp_path / "a.json")
    assert "<dc:date>" not in (tmp_path / "a.svg").read_text()
    said = json.loads((tmp_path / "a.json").read_text())
    assert not said["empty"] and set(said) == {"title", "caption", "alt", "empty", "svg_sha256", "checksum"}


def test_an_empty_figure_is_saved_as_a_placeholder(tmp_path):
    save(None, tmp_path / "a.svg", tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["empty"]
    assert "No data" in (tmp_path / "a.svg").read_text()


def test_caption_names_the_best_smoothing_of_the_last_panel(whole, drawings):
    rows = whole.summary.query("role == 'teacher' and noise_rate == 0.4 and method == 'label_smoothing'")
    best = rows.loc[rows["mean"].idxmax()]
    caption = drawings["accuracy_alpha"].caption
    assert f"is {text.percent(best['mean'])} at α = {text.plain(best['alpha'])} (n = 5)" in caption


def test_accuracy_lines_pass_through_the_means(whole, drawings):
    figure = drawings["accuracy_alpha"].figure
    rows = whole.summary.query("role == 'teacher' and noise_rate == 0.4 and method == 'label_smoothing'")
    plain = whole.summary.query("role == 'teacher' and noise_rate == 0.4 and method == 'cross_entropy'")["mean"].iloc[0]
    longest = max(figure.axes[2].lines, key=lambda line: len(line.get_xdata()))
    np.testing.assert_allclose(longest.get_xdata(), [0, *rows["alpha"]])
    np.testing.assert_allclose(longest.get_ydata(), 100 * np.array([plain, *rows["mean"]]))


def test_interval_bars_are_the_tables_own(whole, drawings):
    figure = drawings["methods"].figure
    rows = whole.summary.query("role == 'teacher' and noise_rate == 0.2 and method != 'cross_entropy'")
    bars = [line for line in figure.axes[1].lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.8]
    ends = 100 * np.array([cells.ends_beside(row) for _, row in rows.iterrows()])
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], ends)


def test_memorised_means_are_those_of_the_metrics(whole):
    panel = cells.select(whole, "teacher", noisy_only=True)[0][-1]
    for _, row in means(panel).iterrows():
        runs = whole.metrics[whole.metrics["key"] == row["key"]]
        assert row["memorised"] == pytest.approx(runs["memorised"].mean()) and row["n_memorised"] == 5


def test_too_many_panels_are_thinned_and_said():
    tables = fake_tables(cells=DIGITS_CELLS[:3], rates=tuple(np.round(np.arange(0, 0.8, 0.05), 2)), seeds=3)
    shown, total = cells.select(tables, "teacher")
    assert (len(shown), total) == (cells.MOST_PANELS, 16)
    assert (shown[0].rate, shown[-1].rate) == (0.0, 0.75)
    assert "12 of 16 panels" in registry.load("figures", "accuracy_alpha").draw(tables).caption


def test_thin_keeps_the_ends():
    assert cells.thin(list(range(10)), 4) == [0, 3, 6, 9]
    assert cells.thin([1, 2], 4) == [1, 2]
    assert cells.thin([1, 2, 3], 1) == [3]


def test_map_limit_holds_every_difference():
    for largest in (0.001, 0.006, 0.033, 0.4):
        limit = _limit(pd.Series([largest, -largest / 2]))
        assert limit >= 100 * largest


@pytest.mark.parametrize("limit", [0.5, 20.0, 100.0])
def test_shades_are_even_around_zero_and_a_fifth_of_the_limit_is_seen(limit):
    found = edges(limit)
    assert found == pytest.approx(-found[::-1]) and (np.diff(found) > 0).all()
    assert (found[0], found[-1]) == (-limit, limit) and len(found) == len(look.DIVERGING) + 1
    assert np.searchsorted(found, 0.2 * limit) - np.searchsorted(found, 0.0) >= 2


def test_share_above_zero_of_a_known_density():
    densities = pd.DataFrame({"low": [-2.0, 0.0], "high": [0.0, 1.0], "wrong": [0.3, 0.4]})
    assert positive_share(densities) == pytest.approx(0.4)
    assert positive_share(densities.assign(wrong=np.nan)) is None
