"""A gold set from its draw to the answer: drawn, labelled, taken back, measured with both of its errors."""

import copy
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import weak_annotator
from in_process import run_stage
from PIL import Image

from smearlab.cli.gold import draw_gold, take_gold
from smearlab.core.errors import UserError
from smearlab.evaluation.drawing import draw
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES
from smearlab.report.page import render
from smearlab.store.tables import read_tables

GRID = copy.deepcopy(weak_annotator.GRID)
GRID["recipes"]["small"] |= {"epochs": 2}
GRID["methods"] = ["cross_entropy", {"name": "label_smoothing", "alphas": [0.8]}]
GRID["students"] = []
LEFT_OUT = ("draw_figure", "write_report")


def run(content, rules):
    grid = load_grid(content)
    for rule, stage in STAGES.items():
        for subject in stage.subjects(grid) if rule in rules else ():
            run_stage(stage, subject, content)
    return grid


def tables():
    return read_tables(Path("results/weak"))


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """The grid, trained and evaluated, in its folder."""
    folder = tmp_path_factory.mktemp("gold")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        weak_annotator.write(folder)
        grid = run(GRID, [rule for rule in STAGES if rule not in LEFT_OUT])
        yield grid, grid.definitions.datasets[0]


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def filled(path, out, label=lambda true, row: str(true[int(row["row"])])):
    """Fill the table in as somebody who knows the truth."""
    _, true, _ = weak_annotator.images_and_labels()
    rows = [{**row, "label": label(true, row)} for row in rows_of(path)]
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return str(out)


@pytest.mark.parametrize("by", ["random", "class", "disagreement"])
def test_a_draw_comes_as_a_table_and_sheets_of_pictures(weak, by):
    table, *sheets = draw_gold(*weak, 150, part="test", by=by, seed=0)
    rows = rows_of(table)
    assert len(rows) == 150 and {row["part"] for row in rows} == {"test"} and {row["label"] for row in rows} == {""}
    assert len(sheets) == 2
    for path in sheets:
        with Image.open(path) as image:
            image.verify()
    again = [path.read_bytes() for path in draw_gold(*weak, 150, part="test", by=by, seed=0)]
    assert again == [path.read_bytes() for path in (table, *sheets)]


def test_every_stratum_is_drawn_from_and_says_how_many_it_stands_for(weak):
    rows = rows_of(draw_gold(*weak, 60, part="test", by="class", seed=1)[0])
    _, _, given = weak_annotator.images_and_labels()
    sizes = np.bincount(given[: len(weak_annotator.PARTS)][weak_annotator.PARTS == "test"], minlength=10)
    assert {row["stratum"]: int(row["of"]) for row in rows} == {str(k): n for k, n in enumerate(sizes) if n}
    assert all(row["given"] == row["stratum"] for row in rows)


@pytest.mark.parametrize("even", [False, True])
def test_within_a_stratum_every_example_has_the_same_chance(even):
    strata = ["a"] * 3 + ["b"] * 9
    counts = np.zeros(12)
    for seed in range(600):
        counts[draw(strata, 6, seed, even=even)] += 1
    for part in (counts[:3], counts[3:]):
        assert part / 600 == pytest.approx(part.sum() / len(part) / 600, abs=0.08)


def test_a_filled_table_is_taken_and_measured_without_any_training(weak, tmp_path):
    grid, dataset = weak
    table = draw_gold(grid, dataset, 120, part="test", by="disagreement", seed=0)[0]
    home, entries = take_gold(dataset, filled(table, tmp_path / "filled.csv"))
    content = copy.deepcopy(GRID)
    content["datasets"]["own"]["gold"] = str(home)
    try:
        with_gold = run(content, ("collect", "summarise"))
        assert list(with_gold.cells) == list(grid.cells) and len(entries) == 120
        found = tables()
        smoothed = found.summary.iloc[1]
        assert smoothed["n_gold"] == 120 and smoothed["measure"] == "test_accuracy"
        true = weak_annotator.images_and_labels()[1]
        weights = pd.Series({int(row["row"]): int(row["of"]) for row in rows_of(table)})
        drawn = pd.Series({int(row["row"]): row["stratum"] for row in rows_of(table)})
        weights = weights / drawn.map(drawn.value_counts())
        with np.load(f"{grid.rows[1].cell.folder('paired-0')}/examples.npz") as arrays:
            test = np.flatnonzero(weak_annotator.PARTS == "test")
            right = pd.Series((arrays["test_predicted"] == true[test]).mean(axis=0), index=test)
        assert smoothed["mean"] == pytest.approx(np.average(right[weights.index], weights=weights))
        page = render(found, [])
        assert "the true label is known of 120 of 400 test examples" in page.replace("\u00a0", " ")
    finally:
        home.unlink()


def test_more_are_drawn_beside_those_that_are_known_and_only_from_the_same_strata(weak, tmp_path):
    grid, dataset = weak
    first = draw_gold(grid, dataset, 50, part="test", by="random", seed=0)[0]
    home, _ = take_gold(dataset, filled(first, tmp_path / "filled.csv"))
    try:
        known = {row["row"] for row in rows_of(home)}
        more = draw_gold(grid, dataset, 50, part="test", by="random", seed=0)[0]
        assert not known & {row["row"] for row in rows_of(more)}
        with pytest.raises(UserError, match=r"drawn from the stratum 'all'.*same --by"):
            draw_gold(grid, dataset, 50, part="test", by="class", seed=0)
        _, entries = take_gold(dataset, filled(more, tmp_path / "more.csv"))
        assert len(entries) == 100
    finally:
        home.unlink()


def _changed(column, value, place=3):
    def change(rows):
        rows[place][column] = value

    return change


FAULTS = {
    "an unknown class": (_changed("label", "cat"), r"line 5: 'cat' is no class; the classes are 0 = 0, 1 = 1"),
    "a row twice": (lambda rows: rows.append(dict(rows[0])), r"line 32: row \d+ stands in line 2 already"),
    "a row beyond the data": (_changed("row", "99999"), r"line 5: the data set has no example in row 99999"),
    "a row of another part": (_changed("row", "0"), r"line 5: row 0 is a train example, not test"),
    "a row that is no number": (_changed("row", "x"), r"line 5: row is 'x'; a whole number"),
    "other data": (_changed("given", "no digit"), r"line 5: the label given to row \d+ is '\d', not 'no digit'"),
    "nothing filled in": (lambda rows: [row.update(label="") for row in rows], r"'label' is empty in every line"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_table_with_a_fault_is_refused_in_one_line_and_nothing_is_written(weak, tmp_path, name):
    change, said = FAULTS[name]
    table = draw_gold(*weak, 30, part="test", by="random", seed=0)[0]
    path = filled(table, tmp_path / "filled.csv")
    rows = rows_of(path)
    change(rows)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(UserError, match=said) as fault:
        take_gold(weak[1], path)
    assert "\n" not in str(fault.value) and not Path("gold/own.csv").exists()


@pytest.mark.parametrize("n", [0, -1, 401])
def test_a_number_that_cannot_be_drawn_is_refused(weak, n):
    with pytest.raises(UserError, match=f"--n is {n}"):
        draw_gold(*weak, n, part="test", by="random", seed=0)
