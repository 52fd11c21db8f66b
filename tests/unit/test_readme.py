"""The numbers in the README, and on the page of what the grids found, are those of the published runs."""

import itertools
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from smearlab.cli.published_tables import NOISES, SYMMETRIC_RUNS
from smearlab.core.digest import ROOT
from smearlab.store.tables import read_csv

PUBLISHED = ROOT / "reports" / "published"
GRIDS = [grid for grid in SYMMETRIC_RUNS if (PUBLISHED / grid).is_dir()]
README, FOUND = (ROOT / name for name in ("README.md", "docs/found.md"))
METHODS = {
    "cross-entropy": ("cross_entropy", None, None),
    "label smoothing 0.1 (the paper's)": ("label_smoothing", 0.1, None),
    "smoothing 0.1": ("label_smoothing", 0.1, None),
    "label smoothing 0.4": ("label_smoothing", 0.4, None),
    "label smoothing 0.8": ("label_smoothing", 0.8, None),
    "smoothing 0.8": ("label_smoothing", 0.8, None),
    "forward correction with the matched T": ("forward", None, "matched"),
    "forward, true T": ("forward", None, "true"),
    "forward, T estimated (anchor)": ("forward", None, "estimated(anchor)"),
    "backward correction with the matched T, bare formula": ("backward", None, "matched"),
}


def rows_after(page: Path, heading: str) -> list[list[str]]:
    """The fields of a table's rows, its heading first."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(heading))
    table = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[field.strip() for field in line.strip("|").split("|")] for line in table]


def published(grid: str, noise: str, rate: float | None, method: tuple[str, float | None, str | None]) -> Any:
    frame = read_csv(PUBLISHED / grid / "summary.csv")
    frame = frame[(frame["role"] == "teacher") & (frame["noise"] == noise) & (frame["method"] == method[0])]
    frame = frame[frame["options"].isna()]
    for column, value in (("noise_rate", rate), ("alpha", method[1]), ("transition", method[2])):
        frame = frame[frame[column].isna() if value is None else frame[column] == value]
    if frame.empty:
        return None
    (_, row), *others = frame.iterrows()
    assert not others
    return row


def agrees(said: str, row: pd.Series) -> bool:
    """Whether a field of the README says the mean of a baseline, or the difference of a method, of this row."""
    number = float(re.search(r"[+−]?\d+\.\d", said)[0].replace("−", "-"))
    return abs(number - 100 * (row["mean"] if row["verdict"] == "baseline" else row["difference"])) < 0.051


@pytest.mark.parametrize(("page", "least"), [(README, 4), (FOUND, 6)], ids=["README", "found"])
@pytest.mark.parametrize("column", list(enumerate(GRIDS, 1)), ids=lambda column: column[1])
def test_the_first_table_is_that_of_the_published_runs(column: tuple[int, str], page: Path, least: int) -> None:
    place, grid = column
    compared = [fields for fields in rows_after(page, "| 40 % symmetric noise") if fields[0] in METHODS]
    assert len(compared) >= least
    for fields in compared:
        row = published(grid, "symmetric", 0.4, METHODS[fields[0]])
        if row is None:
            assert fields[place] == "–"
            continue
        assert agrees(fields[place], row), (fields, row["difference"])
        if row["verdict"] != "baseline":
            assert row["verdict"] in fields[place]


def test_the_table_of_noises_is_that_of_the_published_runs() -> None:
    heading, _, *rows = rows_after(FOUND, "| noise | cross-entropy")
    for fields in rows:
        where = NOISES[fields[0]]
        for name, said in zip(heading[1:], fields[1:], strict=True):
            row = published(*where, METHODS[name])
            assert agrees(said, row), (fields[0], name, said, row["difference"])
            assert {"✓": "helps", "✗": "hurts"}.get(said[-1], row["verdict"]) == row["verdict"]
            assert (said[-1] in "✓✗") == (row["verdict"] in ("helps", "hurts"))
    assert len(rows) == sum((PUBLISHED / grid).is_dir() for grid, _, _ in NOISES.values())


def test_every_published_run_is_named() -> None:
    named = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    runs = [path.parent.name for path in PUBLISHED.glob("*/report.html")]
    assert all(f"]({run}/report.html)" in named for run in runs)


def test_the_gain_on_a_gpu_is_that_of_its_run() -> None:
    row = published("gpu_headline", "symmetric", 0.2, ("label_smoothing", 0.1, None))
    text = " ".join(README.read_text(encoding="utf-8").split())
    numbers = [f"{100 * row[name]:+.1f}".replace("-", "−") for name in ("difference", "ci_low", "ci_high")]
    assert "{} at 20 % noise ({} to {})".format(*numbers) in text


def test_the_readme_is_read_in_two_minutes() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.split()) < 1000
