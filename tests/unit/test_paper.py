"""What a paper takes: tables that say in Markdown and LaTeX what summary.csv says, figures with the same bytes."""

import re
from pathlib import Path

import numpy as np
import pytest
from fake_grid import fake_tables

from smearlab.cli import paper
from smearlab.cli.parser import main
from smearlab.figures._drawing import Drawing
from smearlab.figures._save import rendered
from smearlab.report.markup import escaped, latex, markdown
from smearlab.report.paper import accuracies, difference, differences, paper_tables
from smearlab.report.table import Field, Table

TABLES = fake_tables(rates=(0.0, 0.4), details=False)


def row(method: str, rate: float):
    of = TABLES.summary
    chosen = of[(of["role"] == "teacher") & (of["noise_rate"] == rate) & (of["method"] == method)]
    return chosen.iloc[0]


def test_a_difference_is_that_of_the_summary_with_its_interval_and_mark() -> None:
    found = row("label_smoothing", 0.4)
    signed = [100 * found[name] for name in ("difference", "ci_low", "ci_high")]
    said = difference(found)
    numbers = [float(n.replace("−", "-")) for n in re.findall(r"[+−]?\d+\.\d+", said)]
    assert numbers == pytest.approx(signed, abs=0.051)
    assert ("✓" in said, "✗" in said) == (found["verdict"] == "helps", found["verdict"] == "hurts")
    assert difference(row("cross_entropy", 0.4)).endswith("%")


def test_rows_are_methods_and_columns_the_noise() -> None:
    table = accuracies(TABLES.summary, "teacher")
    assert table.columns == ["method", "0 %", "40 %"]
    assert len(table.rows) == TABLES.summary[TABLES.summary["role"] == "teacher"].drop_duplicates("key").shape[0] / 2
    mean = row("cross_entropy", 0.4)["mean"]
    assert table.rows[0][2].text.startswith(f"{100 * mean:.2f} ±")


def test_two_data_sets_have_columns_of_their_own_and_a_missing_cell_is_empty() -> None:
    tables = fake_tables(datasets=("digits", "shoes"), rates=(0.4,), details=False)
    cut = tables.summary[~((tables.summary["dataset"] == "shoes") & (tables.summary["method"] != "cross_entropy"))]
    table = differences(cut, "teacher")
    assert table.columns == ["method", "digits 40 %", "shoes 40 %"]
    assert [fields[2].text for fields in table.rows[1:]] == [""] * (len(table.rows) - 1)


def test_a_grid_without_students_has_no_table_of_them() -> None:
    teachers = TABLES.summary[TABLES.summary["role"] == "teacher"]
    assert accuracies(teachers, "student") is None


@pytest.mark.parametrize("named", paper_tables(TABLES), ids=lambda named: named.name)
def test_latex_is_plain_ascii_with_as_many_fields_in_every_row(named) -> None:
    text = latex(named.table)
    assert text.isascii()
    alignment = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)[1]
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert {len(re.split(r"(?<!\\)&", line)) for line in rows} == {len(alignment)}
    assert len(rows) == len(named.table.rows) + 1
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


@pytest.mark.parametrize("named", paper_tables(TABLES), ids=lambda named: named.name)
def test_markdown_has_as_many_fields_in_every_row(named) -> None:
    lines = [line for line in markdown(named.table).splitlines() if line.startswith("|")]
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {len(named.table.columns) + 2}
    assert len(lines) == len(named.table.rows) + 2


def test_what_would_be_markup_stands_as_text() -> None:
    table = Table("a_b", ["x|y", "c%"], [[Field("a*b_c|d"), Field("5 %", note="#1")]])
    assert r"| a\*b\_c\|d | 5 % (#1) |" in markdown(table)
    assert r"a*b\_c|d & 5 \% (\#1) \\" in latex(table)
    assert escaped("α ± −1 → β & {x}") == r"$\alpha$ $\pm$ $-$1 $\rightarrow$ $\beta$ \& \{x\}"


def drawing() -> Drawing:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [1, 0])
    return Drawing(figure, "title", "caption", "alt")


@pytest.mark.parametrize(("form", "starts"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_figure_has_the_same_bytes_every_time(form: str, starts: bytes) -> None:
    first, again = (rendered(drawing(), form) for _ in range(2))
    assert first == again and first.startswith(starts)


def test_the_commands_write_a_file_for_each(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paper, "read_tables", lambda folder: TABLES)
    monkeypatch.setattr("smearlab.cli.commands.find_grid", lambda name: type("Grid", (), {"name": name}))
    monkeypatch.setattr(paper.registry, "names", lambda kind: ("one", "none"))
    monkeypatch.setattr(paper.registry, "load", lambda kind, name: FIGURES[name])
    for arguments in (["tables", "mine", "--format", "markdown"], ["figures", "mine", "--out", "drawn"]):
        assert main(arguments) == 0
    printed = capsys.readouterr().out.split()
    assert "exports/mine/difference-teachers.md" in printed and "drawn/one.pdf" in printed
    assert all(Path(path).is_file() for path in printed) and not Path("drawn/none.pdf").exists()
    assert Path("drawn/one.txt").read_text("utf-8") == "title\n\ncaption\n"


FIGURES = {
    "one": type("Entry", (), {"draw": staticmethod(lambda tables: drawing())}),
    "none": type("Entry", (), {"draw": staticmethod(lambda tables: None)}),
}


def test_tables_of_all_cells_have_the_pages_numbers() -> None:
    (table,) = [named.table for named in paper_tables(TABLES) if named.name == "all-teachers"]
    place = table.columns.index("accuracy, %")
    means = [float(fields[place].text.split()[0]) for fields in table.rows]
    of = TABLES.summary[TABLES.summary["role"] == "teacher"]
    np.testing.assert_allclose(means, 100 * of["mean"], atol=0.0051)
