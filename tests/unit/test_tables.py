"""Tables: what is read back is what was written, in one regular form."""

import numpy as np
import pandas as pd
import pytest
from fake_grid import DIGITS_CELLS, fake_tables, teacher

from smearlab.core.errors import UserError
from smearlab.store.files import write_json
from smearlab.store.tables import CELL, cell_keys, make_tables, read_tables


@pytest.fixture
def folder(tmp_path):
    tables = fake_tables(cells=DIGITS_CELLS[:3], rates=(0.0, 0.2), seeds=3)
    tables.metrics.replace("", None).to_parquet(tmp_path / "metrics.parquet")
    tables.summary.to_csv(tmp_path / "summary.csv", index=False)
    write_json(tmp_path / "context.json", tables.context)
    return tmp_path, tables


def test_round_trip_through_files_keeps_every_cell_and_number(folder):
    path, tables = folder
    found = read_tables(path)
    assert list(found.summary["key"]) == list(tables.summary["key"])
    assert list(found.metrics["key"]) == list(tables.metrics["key"])
    np.testing.assert_array_equal(found.summary["difference"], tables.summary["difference"])
    np.testing.assert_array_equal(found.metrics["accuracy"], tables.metrics["accuracy"])


@pytest.mark.parametrize(("column", "value"), [("transition", "true"), ("dataset", "1"), ("noise", "nan")])
def test_a_text_that_looks_like_something_else_stays_a_text(folder, column, value):
    path, tables = folder
    tables.metrics.assign(**{column: value}).to_parquet(path / "metrics.parquet")
    tables.summary.assign(**{column: value}).to_csv(path / "summary.csv", index=False)
    found = read_tables(path)
    assert set(found.summary[column]) == {value}
    assert set(found.summary["key"]) == set(found.metrics["key"])


def test_history_and_curves_may_be_absent(folder):
    path, _ = folder
    found = read_tables(path)
    assert len(found.history) == 0 and "memorised" in found.history
    assert len(found.curve("reliability", found.summary["cell"][0])) == 0


@pytest.mark.parametrize("name", ["metrics.parquet", "summary.csv", "context.json"])
def test_a_folder_without_tables_is_refused_by_name(folder, name):
    path, _ = folder
    (path / name).unlink()
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        read_tables(path)


def test_nulls_have_one_form():
    metrics = pd.DataFrame({"dataset": ["a", "a"], "transition": [None, pd.NA], "alpha": [None, 0.1]})
    tables = make_tables(metrics=metrics, summary=metrics, history=pd.DataFrame(), curves=pd.DataFrame(), context={})
    assert list(tables.metrics["transition"]) == ["", ""]
    assert np.isnan(tables.metrics["alpha"][0]) and tables.metrics["alpha"][1] == 0.1
    assert tables.metrics["alpha"].dtype == float


def test_keys_join_the_rows_of_a_cell_and_no_others():
    tables = fake_tables(cells=[teacher("cross_entropy"), teacher("label_smoothing", 0.1)], seeds=3)
    assert tables.summary["key"].is_unique
    counts = tables.metrics.groupby("key").size()
    assert set(counts) == {3} and set(counts.index) == set(tables.summary["key"])


def test_keys_see_every_naming_column():
    base = {column: ["x"] for column in CELL} | {"alpha": [0.1], "noise_rate": [0.2]}
    keys = {cell_keys(pd.DataFrame(base)).iloc[0]}
    for column in CELL:
        keys.add(cell_keys(pd.DataFrame(base | {column: ["other"]})).iloc[0])
    assert len(keys) == len(CELL) + 1


def test_accuracy_is_the_noisy_one_only_where_no_clean_labels_are_known():
    assert fake_tables(seeds=3).metrics.eval("accuracy == test_accuracy").all()
    assert fake_tables(seeds=3, clean=False).metrics.eval("accuracy == test_accuracy_noisy").all()


def test_a_curve_comes_back_with_its_points_as_rows():
    tables = fake_tables(cells=DIGITS_CELLS[:1], rates=(0.2,), seeds=2)
    curve = tables.curve("reliability", tables.summary["cell"][0])
    assert len(curve) == 2 * 15 and {"confidence", "accuracy", "count", "seed"} <= set(curve.columns)
    assert curve["confidence"].between(0, 1).all()


def test_finished_counts_leave_out_what_diverged():
    tables = fake_tables(cells=DIGITS_CELLS[:2], rates=(0.2,), diverged=lambda cell: cell["method"] != "cross_entropy")
    assert list(tables.summary["n"]) == [5, 5]
    assert list(tables.summary["n_finished"]) == [5, 0]
