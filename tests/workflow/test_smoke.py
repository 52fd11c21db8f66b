"""The whole chain, for real."""

import io

import pandas as pd
import pytest
import yaml
from projects import ROOT, TINY, checkout, hashes

from smearlab.cli.handbook import TABLES
from smearlab.core import columns

COLUMNS = """
    dataset noise noise_rate noise_seed realised_noise_rate recipe arch role method alpha transition teacher_method
    teacher_alpha teacher_transition teacher_recipe temperature beta student_labels seed status test_accuracy
    test_accuracy_last test_accuracy_selected test_accuracy_noisy test_nll test_brier test_ece train_accuracy_noisy
    memorised recovered best_on_test_accuracy epochs train_seconds images_per_second device precision
""".split()
SUMMARY_COLUMNS = "n n_diverged mean std baseline difference ci_low ci_high p_value p_holm margin verdict".split()


def test_the_smoke_grid_from_end_to_end(smoke):
    results = smoke.folder / "results" / "smoke"
    metrics = pd.read_parquet(results / "metrics.parquet")
    config = yaml.safe_load((ROOT / "configs" / "smoke.yaml").read_text(encoding="utf-8"))
    replicates = config["recipes"]["tiny"]["block_size"]
    assert len(metrics) == replicates * (2 * 4 + 2 * 2)  # teachers and students under two rates
    assert [column for column in metrics.columns if column in COLUMNS] == COLUMNS
    assert set(metrics["status"]) == {"finished"} and not metrics["accepted"].any()
    assert metrics["test_accuracy"].between(0, 1).all()
    # Under no noise nothing is memorised and a correction is plain cross-entropy; at 0.4 about that share is wrong.
    clean = metrics["noise_rate"] == 0
    assert metrics.loc[clean, "memorised"].isna().all() and metrics.loc[~clean, "memorised"].notna().all()
    assert metrics.loc[~clean, "realised_noise_rate"].between(0.3, 0.5).all()
    summary = pd.read_csv(results / "summary.csv")
    assert [column for column in summary.columns if column in SUMMARY_COLUMNS] == SUMMARY_COLUMNS
    assert len(summary) == 2 * 4 + 2 * 2 and (summary["n"] == replicates).all()
    forward = summary[(summary["method"] == "forward") & (summary["noise_rate"] == 0)]
    assert forward["verdict"].tolist() == ["identical"]


def test_the_csv_holds_what_the_parquet_holds(smoke):
    results = smoke.folder / "results" / "smoke"
    metrics = pd.read_parquet(results / "metrics.parquet")
    written = pd.read_csv(io.StringIO(metrics.to_csv(index=False)))
    pd.testing.assert_frame_equal(pd.read_csv(results / "metrics.csv"), written)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.files[0])
def test_every_file_has_exactly_the_columns_that_the_reference_page_lists(smoke, table):
    for file in table.files:
        path = smoke.folder / "results" / "smoke" / file
        found = list(pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path))
        listed = [*table.named, *columns.names(table.columns)]
        assert found[: len(listed)] == listed
        behind = list(columns.names(columns.FURTHER)) if file.startswith("metrics") else []
        assert found[len(listed) :] == behind


def test_the_page_is_one_file_without_a_network(smoke):
    page = (smoke.folder / "reports" / "smoke.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 3_000_000 and "<svg" in page
    assert 'src="http' not in page and "<link" not in page and "@import" not in page


def test_the_page_is_made_from_what_is_there(smoke, tmp_path):
    half = smoke.copy_to(tmp_path / "half")
    for metrics in (half.folder / "results" / "students").rglob("metrics.json"):
        metrics.unlink()
    done = half.smearlab("report", "smoke")
    assert done.returncode == 0 and done.stdout == "reports/smoke.html\n", done.stderr
    assert "not evaluated yet" in (half.folder / "reports" / "smoke.html").read_text(encoding="utf-8")


def test_two_runs_in_two_folders_give_the_same_files(finished, tmp_path):
    again = checkout(tmp_path / "again")
    again.run(TINY, "--cores", "1")
    here, there = hashes(finished.folder), hashes(again.folder)
    assert len(there) > 60 and there == {path: here[path] for path in there}
