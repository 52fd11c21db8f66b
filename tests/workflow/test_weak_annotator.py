"""Noisy labels that a weak annotator gave, and no true one: the page does not judge."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import weak_annotator
from in_process import run_grid

from smearlab.statistics.given_labels import AGREEMENT, CANNOT
from smearlab.statistics.verdict import HELPS, HURTS, NO_DIFFERENCE

WORDS = re.compile(r"\b(helps?|helped|hurts?)\b|\b(Yes|No):|practical difference")
VERDICTS = {HELPS, HURTS, NO_DIFFERENCE}


class Texts(HTMLParser):
    """The texts of a page and the classes of its elements, without style, script and the config."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.classes: set[str] = set()
        self._skipped = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._skipped = tag in ("style", "script", "pre")
        self.classes |= {name for key, value in attrs if key == "class" for name in (value or "").split()}

    def handle_endtag(self, tag: str) -> None:
        self._skipped = False

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.texts.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.texts).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weak")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        weak_annotator.write(folder)
        tables = run_grid(weak_annotator.GRID)
    return folder, tables, Texts((folder / "reports/weak.html").read_text(encoding="utf-8"))


def test_a_quarter_of_the_labels_is_wrong_as_a_function_of_the_image():
    _, true, given = weak_annotator.images_and_labels()
    assert (true != given).mean() == pytest.approx(0.25, abs=0.01)


def test_no_table_judges(weak):
    folder, tables, _ = weak
    for path in sorted(Path(folder, "results/weak").glob("*.csv")):
        frame = pd.read_csv(path)
        for column in frame.columns[frame.columns.str.contains("verdict|finding")]:
            assert not VERDICTS & set(frame[column].dropna()), (path.name, column)
    compared = tables.summary[tables.summary["difference"].notna() & (tables.summary["method"] != "cross_entropy")]
    assert len(compared) and set(compared["verdict"]) & set(AGREEMENT)
    assert (compared["note"][compared["p_value"].notna()] == CANNOT).all()


def test_the_page_judges_nowhere(weak):
    _, _, page = weak
    assert not WORDS.findall(page.said)
    assert not page.classes & {"v-helps", "v-hurts", "v-same", "tone-yes", "tone-no", "tone-partly", "card"}


def test_the_answer_says_what_it_cannot_and_what_would_decide(weak):
    _, _, page = weak
    assert "This data cannot tell" in page.said and CANNOT in page.said
    needed = re.search(r"(\d+) test examples? of own with their true label would give its sign", page.said)
    assert needed and int(needed.group(1)) > 0
    assert "python -m smearlab gold weak --n" in page.said


def test_shares_of_wrong_labels_are_at_least(weak):
    _, _, page = weak
    said = r"at least [\d.]+ % of the labels are wrong by estimate \([\d.]+ % to [\d.]+ % by estimator\)"
    assert re.search(said, page.said)
    assert "on clean ones" not in page.said and "±" not in page.said.partition("The noise, estimated")[2][:1500]


def test_suspects_are_wrong_more_often_than_labels_are_and_are_shown(weak):
    folder, _, page = weak
    _, true, given = weak_annotator.images_and_labels()
    found = pd.read_csv(folder / "results/weak/suspects.csv", dtype={"given": str, "predicted": str})
    assert len(found) == (weak_annotator.PARTS == "train").sum() and found["true"].isna().all()
    assert (found["given"].astype(int) == given[found["row"]]).all() and found["score"].is_monotonic_increasing
    wrong = true[found["row"]] != given[found["row"]]
    assert wrong[:100].mean() > wrong.mean()
    assert "Which labels are wrong" in page.said and "that networks take for" in page.said
    assert "Which class is labelled as which, estimated" in page.said
