"""Two runs of one grid: how many means and verdicts are others, counted on tables where the answer is known."""

from fake_grid import fake_tables

from smearlab.report.compare import Side, comparison
from smearlab.report.moved import flipped_table, moved


def two_runs():
    tables = [fake_tables(rates=(0.0, 0.4), details=False) for _ in range(2)]
    return [t.summary.copy() for t in tables], tables


def test_the_same_tables_have_not_moved():
    (first, second), _ = two_runs()
    found = moved(first, second)
    assert found.sentence.startswith(f"0 of {len(first)} cell means differ; 0 of ")
    assert flipped_table(found, "a", "b") is None


def test_what_was_moved_by_hand_is_what_is_found():
    (first, second), _ = two_runs()
    judged = second.index[second["difference"].notna()]
    second.loc[second.index[:2], "mean"] += [0.01, -0.025]
    other = "hurts" if second.loc[judged[0], "verdict"] != "hurts" else "helps"
    second.loc[judged[0], "verdict"] = other
    found = moved(first, second)
    verdicts = f"1 of {len(judged)} verdicts are others"
    assert found.sentence == f"2 of {len(first)} cell means differ, by up to 2.5 points; {verdicts}"
    assert len(flipped_table(found, "a", "b").rows) == 1


def test_cells_of_other_replicates_or_another_computation_take_no_part():
    (first, second), _ = two_runs()
    assert len(moved(first, second.assign(n=second["n"] + second.index.isin([0]))).pairs) == len(first) - 1
    assert moved(first, second.assign(cell="teachers/others/" + second["cell"])) is None


def test_the_page_of_two_runs_says_it_and_that_of_two_grids_does_not():
    _, (one, other) = two_runs()
    assert "0 of" in comparison(Side("one", one), Side("two", other))["moved"]
    elsewhere = fake_tables(datasets=("shoes",), rates=(0.2, 0.4), details=False)
    assert comparison(Side("one", one), Side("two", elsewhere))["moved"] == ""
