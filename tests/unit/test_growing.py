"""Tables that grow on disk are those that would have been written at once; half of one is never seen."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smearlab.stages._long import CURVES_SCHEMA, curve_rows
from smearlab.store import growing
from smearlab.store.growing import GrowingTable
from smearlab.store.tables import Long

SCHEMA = pa.schema([("cell", pa.large_string()), ("epoch", pa.int64()), ("loss", pa.float64())])
REPLICATE = {"noise_seed": 3, "seed": 4, "curves": {"margins": [{"low": 0, "right": None}, {"low": 1.5, "right": 2}]}}


def rows(cell: str) -> pa.Table:
    return pa.table({"cell": [cell] * 3, "epoch": [1, 2, 3], "loss": [0.5, None, 0.25]}, SCHEMA)


def test_what_grew_in_parts_is_what_was_added(tmp_path, monkeypatch):
    monkeypatch.setattr(growing, "ROWS", 5)
    path = tmp_path / "new" / "table.parquet"
    with GrowingTable(path, SCHEMA) as table:
        for name in "abcde":
            table.add(rows(name))
            assert not path.exists()  # under its name there is a whole table or none
    expected = pa.concat_tables([rows(name) for name in "abcde"])
    assert pq.read_table(path).equals(expected) and pq.ParquetFile(path).metadata.num_row_groups == 3


def test_without_rows_it_still_has_its_columns(tmp_path):
    with GrowingTable(tmp_path / "table.parquet", SCHEMA):
        pass
    found = pd.read_parquet(tmp_path / "table.parquet")
    assert list(found.columns) == SCHEMA.names and len(found) == 0 and found["epoch"].dtype == "int64"


def test_a_failure_leaves_the_table_of_before(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), GrowingTable(path, SCHEMA) as table:
        table.add(rows("a"))
        raise ZeroDivisionError
    assert [*tmp_path.iterdir()] == [path] and path.read_bytes() == b"before"


def test_a_curve_in_long_form_has_a_row_for_each_quantity_of_a_point():
    found = curve_rows("one", [REPLICATE]).to_pylist()
    assert [(row["point"], row["quantity"], row["value"]) for row in found] == [
        *((0, "low", 0.0), (0, "right", None), (1, "low", 1.5), (1, "right", 2.0))
    ]
    assert {(row["cell"], row["noise_seed"], row["seed"], row["curve"]) for row in found} == {("one", 3, 4, "margins")}
    assert curve_rows("none", [{**REPLICATE, "curves": {}}]).schema.equals(CURVES_SCHEMA)


def test_rows_of_one_cell_are_the_same_from_file_and_from_memory(tmp_path):
    path = tmp_path / "table.parquet"
    with GrowingTable(path, SCHEMA) as table:
        for name in "abc":
            table.add(rows(name))
    whole = pd.read_parquet(path)
    from_file, from_memory = (Long(source, ("epoch", "loss"), ("cell",)) for source in (path, whole))
    pd.testing.assert_frame_equal(from_file.where(cell="b"), from_memory.where(cell="b"))
    assert len(from_file.where(cell="b")) == 3 and len(from_file.where()) == 9
    absent = Long(tmp_path / "absent.parquet", ("epoch", "loss"), ("cell",)).where(cell="b")
    assert len(absent) == 0 and {"cell", "epoch", "loss"} <= set(absent.columns)
