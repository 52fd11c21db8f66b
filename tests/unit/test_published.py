"""What is published follows from the numbers beside it."""

import io
import json
from pathlib import Path

import pandas as pd
import pytest

from smearlab.cli.publish import publish
from smearlab.core.digest import ROOT
from smearlab.core.errors import UserError
from smearlab.grid.find import find_grid
from smearlab.grid.load import parse, read_config
from smearlab.stages.summarise import read_gold_rows, redrawn_ratio
from smearlab.statistics.drawn import hits_of
from smearlab.statistics.summary import summarise
from smearlab.store.correct import read_correct
from smearlab.store.tables import read_csv

RUNS = sorted(path.parent for path in (ROOT / "reports" / "published").glob("*/metrics.csv"))


def recomputed_summary(folder: Path) -> pd.DataFrame:
    """The summary of a published run, made again from its metrics.csv, its config and what each network got right."""
    config = parse(read_config(folder / "config.yaml"))
    made = json.loads((folder / "made-with.json").read_text(encoding="utf-8"))
    return summarise(
        read_csv(folder / "metrics.csv"),
        primary=config.primary.model_dump() if config.primary else None,
        margin=config.margin,
        cells=read_csv(folder / "summary.csv").loc[:, :"cell"],
        correct=read_correct(folder / "correct.npz") if (folder / "correct.npz").is_file() else {},
        hits=hits_of(read_gold_rows(folder)),
        redrawn=redrawn_ratio({"config": config.model_dump(), "datasets": made["datasets"]}),
    )


def test_there_is_a_published_run():
    assert RUNS


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_the_summary_follows_from_the_metrics(folder: Path):
    text = recomputed_summary(folder).to_csv(index=False, lineterminator="\n")
    published, again = pd.read_csv(folder / "summary.csv"), pd.read_csv(io.StringIO(text))
    shared = [column for column in published if column in again]  # each release has some of its own
    published, again = published[shared], again[shared]
    others = ~published["primary"] & published["p_holm"].notna()  # its families were larger, and left the headlines out
    assert (again["p_holm"] <= published["p_holm"] + 1e-12)[others].all()
    again, published = (table.drop(columns=["p_holm", "verdict"]) for table in (again, published))
    pd.testing.assert_frame_equal(again, published, check_exact=False, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("folder", RUNS, ids=lambda folder: folder.name)
def test_a_published_page_is_one_small_file(folder: Path):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 3_000_000
    assert "<script src" not in page and 'href="http' not in page.split("<main")[0]


def test_publishing_what_was_not_run_is_refused(tmp_path: Path):
    grid = find_grid(str(ROOT / "configs" / "smoke.yaml"))
    with pytest.raises(UserError, match="run the grid first"):
        publish(grid, tmp_path / "x.yaml", results=tmp_path, reports=tmp_path)
