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
    verdicts = f"1 of {len(judged)} verdicts at the last epoch, 0 of "
    assert found.sentence.startswith(f"2 of {len(first)} cell means differ, by up to 2.5 points; {verdicts}")
    assert len(flipped_table(found, "a", "b").rows) == 1


def test_verdicts_at_each_stopping_rule_count():
    (first, second), _ = two_runs()
    for rule in ("last", "selected", "label_wave"):
        for table in (first, second):
            table[f"difference_{rule}"], table[f"verdict_{rule}"] = table["difference"], table["verdict"]
    judged = second.index[second["difference"].notna()]
    assert len(judged) > 2
    second.loc[judged[:2], "verdict_selected"] = "another"
    second.loc[judged[2], ["difference_label_wave", "verdict_label_wave"]] = [float("nan"), "missing"]
    found = moved(first, second)
    n = len(judged)
    assert found.sentence.endswith(
        f"; 0 of {n} verdicts at the last epoch, 2 of {n} verdicts stopped early "
        f"and 0 of {n - 1} verdicts stopped by Label Wave are others"
    )
    assert len(flipped_table(found, "a", "b").rows) == 2


def test_cells_of_other_replicates_or_another_computation_take_no_part():
    (first, second), _ = two_runs()
    assert len(moved(first, second.assign(n=second["n"] + second.index.isin([0]))).pairs) == len(first) - 1
    assert moved(first, second.assign(cell="teachers/others/" + second["cell"])) is None


def test_the_page_of_two_runs_says_it_and_that_of_two_grids_does_not():
    _, (one, other) = two_runs()
    assert "0 of" in comparison(Side("one", one), Side("two", other))["moved"]
    elsewhere = fake_tables(datasets=("shoes",), rates=(0.2, 0.4), details=False)
    assert comparison(Side("one", one), Side("two", elsewhere))["moved"] == ""
