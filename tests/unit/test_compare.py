"""Two grids on one page: common cells beside each other, and the table of noises that follows from the summaries."""

import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_grid import fake_tables
from scipy import stats

from smearlab.cli.parser import main
from smearlab.core.digest import ROOT
from smearlab.report.compare import Side, comparison, difference_of_differences, noises, side_by_side
from smearlab.store.files import read_json
from smearlab.store.tables import read_csv

PUBLISHED = ROOT / "reports" / "published"


def of_sample(differences: np.ndarray) -> pd.Series:
    """A row of a summary whose paired differences are these."""
    n, mean, error = len(differences), differences.mean(), differences.std(ddof=1) / math.sqrt(len(differences))
    half = stats.t.ppf(0.975, n - 1) * error
    return pd.Series({"difference": mean, "ci_low": mean - half, "ci_high": mean + half, "n_paired": n})


def test_the_difference_of_differences_is_welchs_interval() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.01, 0.01, 5), rng.normal(0.04, 0.03, 8)
    found = difference_of_differences(of_sample(a), of_sample(b))
    expected = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert found == pytest.approx((b.mean() - a.mean(), expected.low, expected.high))


@pytest.mark.parametrize("changes", [{"n_paired": 1}, {"difference": math.nan}, {"ci_low": math.nan}])
def test_without_an_error_there_is_no_interval(changes: dict) -> None:
    row = of_sample(np.array([0.01, 0.02, 0.04]))
    found = difference_of_differences(row, pd.Series({**row, **changes}))
    assert math.isnan(found[1]) and math.isnan(found[2])


def test_the_same_networks_have_no_interval() -> None:
    rows = [pd.Series({**of_sample(np.array([0.01, 0.02, 0.04])), "cell": "teachers/a"}) for _ in range(2)]
    gap, low, high = difference_of_differences(*rows)
    assert gap == 0 and math.isnan(low) and math.isnan(high)


def sides() -> tuple[Side, Side]:
    first = fake_tables(rates=(0.0, 0.4), details=False)
    second = fake_tables(datasets=("shoes",), rates=(0.2, 0.4), seeds=4, details=False)
    return Side("one", first), Side("two", second)


def test_cells_meet_by_their_names_although_the_data_differ() -> None:
    first, second = sides()
    table = side_by_side(first, second)
    assert "data set" not in table.columns  # the only one of each grid
    at = first.tables.summary[first.tables.summary["noise_rate"] == 0.4]
    assert len(table.rows) == len(at)
    place = table.columns.index("one, %")
    assert [float(fields[place].text.split()[0]) for fields in table.rows] == pytest.approx(
        (100 * at["mean"]).tolist(), abs=0.0051
    )


def test_grids_without_a_common_cell_say_so() -> None:
    first, _ = sides()
    other = Side("two", fake_tables(rates=(0.6,), details=False))
    assert side_by_side(first, other) is None
    assert comparison(first, other)["shared"] is None


def test_every_place_of_both_grids_is_a_row_of_the_table_of_noises() -> None:
    table = noises(list(sides()), "teacher")
    assert [fields[0].text for fields in table.rows] == [
        "one: digits, symmetric 0 %, small",
        "one: digits, symmetric 40 %, small",
        "two: shoes, symmetric 20 %, small",
        "two: shoes, symmetric 40 %, small",
    ]


class Tags(HTMLParser):
    """The tags that a page opens and closes."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attributes: list) -> None:
        known = dict(attributes)
        self.ids += [known["id"]] if known.get("id") else []
        self.links += [known["href"]] if tag == "a" else []
        assert "src" not in known


def test_published_grids_are_compared_as_folders(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [str(PUBLISHED / name) for name in ("digits_noise", "cifar10_human_cpu")]
    assert main(["compare", *folders]) == 0
    page = Path(capsys.readouterr().out.strip())
    assert page == Path("reports/digits_noise-cifar10_human_cpu.html")
    html = page.read_text("utf-8")
    tags = Tags()
    tags.feed(html)
    assert {link.removeprefix("#") for link in tags.links} <= set(tags.ids) and "<h1>" in html and ".scroll" in html
    summary = read_csv(PUBLISHED / "cifar10_human_cpu" / "summary.csv")
    human = summary[(summary["noise"] == "human") & (summary["method"] == "cross_entropy")]
    row = re.search(r"cifar10_human_cpu: cifar10, human as given.*?\n", html)[0]
    assert f"{100 * human['mean'].iloc[0]:.1f}" in row
    code = read_json(PUBLISHED / "digits_noise" / "made-with.json")["code_version"]
    assert code in html


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{a}", "{a}"], "are the same; name two grids"),
        (["{a}", "nowhere"], "nowhere: neither a finished grid (results/nowhere has no tables) nor a folder of tables"),
        (["{a}", "empty"], "empty: has no metrics.csv, summary.csv, config.yaml"),
    ],
)
def test_what_cannot_be_compared_is_one_line(tmp_path, monkeypatch, capsys, arguments, said) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    shutil.copytree(PUBLISHED / "digits", "a")
    assert main(["compare", *(text.format(a="a") for text in arguments)]) == 1
    printed = capsys.readouterr()
    assert said in printed.err and printed.err.count("\n") == 1 and printed.out == ""
