"""One edit in the table of columns is enough for a column to be written, typed, read and described."""

import pandas as pd
import pytest

from smearlab.cli.handbook import TABLES, reference_text
from smearlab.core import columns
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import COLLECTED, SUMMARISED
from smearlab.stages import collect
from smearlab.statistics import summary
from smearlab.statistics.cells import DISTILLATION, NAMES, TREATMENT
from smearlab.training.history import COLUMNS

WRITTEN = pd.DataFrame({"dataset": ["digits"], "seed": [0], "test_accuracy": [0.5], "warmth": [3], "own_metric": [1]})


def test_a_column_more_is_one_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    further = columns.Column("warmth", columns.WHOLE, columns.MEASURED, "how warm it was", "K")
    assert str(collect._typed(WRITTEN)["warmth"].dtype) == "Float64"  # as any metric that nobody describes
    monkeypatch.setattr(columns, "METRICS", (*columns.METRICS, further))
    frame = collect._typed(WRITTEN)
    assert str(frame["warmth"].dtype) == "Int64" and list(frame.columns)[-1] == "own_metric"
    assert str(frame["own_metric"].dtype) == "Float64"


def test_every_column_is_described_on_the_reference_page() -> None:
    page = reference_text()
    for table in TABLES:
        _, _, section = page.partition(f"### {table.title}\n")
        section = section.partition("\n### ")[0]
        assert all(f"`{name}`" in section for name in table.named)
        for column in table.columns:
            assert f"| `{column.name}` | {column.type} | {column.unit} | {column.meaning} |" in section
    for column in columns.FURTHER:
        assert f"| `{column.name}` | {column.type} | {column.unit} | {column.meaning} |" in page


def test_every_table_of_a_grid_is_on_the_reference_page() -> None:
    described = [file for table in TABLES for file in table.files]
    written = {*COLLECTED.values(), *SUMMARISED.values()}
    assert sorted(described) == sorted(file for file in written if file.endswith((".csv", ".parquet")))


def test_names_are_unique_and_the_history_is_the_one_that_is_measured() -> None:
    for table in TABLES:
        names = [*table.named, *columns.names(table.columns)]
        assert len(set(names)) == len(names), table.title
    further = columns.names(columns.FURTHER)
    assert list(further) == sorted({*further} - {*columns.names(columns.METRICS)})
    assert list(columns.names(columns.HISTORY)) == COLUMNS


def test_units_say_what_a_number_is() -> None:
    """Differences of shares have a sign; intervals have the unit of what they are of."""
    for column in {column for table in TABLES for column in (*table.columns, *columns.FURTHER)}:
        assert column.type in (columns.NUMBER, columns.WHOLE, columns.TALLY) or not column.unit, column
        assert not column.name.startswith(("ci_", "difference")) or column.unit in (columns.DIFFERENCE, columns.SLOPE)


def test_what_names_a_cell_is_what_a_row_of_the_grid_has() -> None:
    recipe = {"architecture": "cnn", "epochs": 1}
    content = {
        "name": "one",
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "recipes": {"small": recipe},
        "methods": ["cross_entropy"],
        "students": [{"teachers": ["cross_entropy"]}],
    }
    teacher, student = load_grid(content).rows
    assert student.columns.keys() == set(NAMES) and teacher.columns.keys() <= set(NAMES)
    assert set(DISTILLATION) <= student.columns.keys() and set(TREATMENT) <= teacher.columns.keys()
    assert list(summary.COLUMNS)[: len(NAMES)] == list(NAMES)
