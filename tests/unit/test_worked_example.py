"""The worked example: its data are the same everywhere, its commands are there, its numbers those of its tables."""

import re

import pandas as pd
import pytest

from examples import noisy_digits
from smearlab.cli.parser import main
from smearlab.core.digest import ROOT
from smearlab.grid.load import parse, read_config
from smearlab.store.files import sha256_file

IMAGES_SHA256 = "dd09c7fc7ba859531ca4cd48661e50bf234d7c346090d065d6eb9f77d8abe487"
TRUTH_SHA256 = "6c9c05e9410551a4de13a4ee3a593bf7b7d02e3ef09c32e65bc7a1358a4317a4"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A working folder with the example's data."""
    monkeypatch.chdir(tmp_path)
    noisy_digits.make()
    return tmp_path


def test_the_annotator_is_wrong_on_about_a_quarter_and_has_seen_none_of_the_images():
    images, true, given = noisy_digits.annotated()
    assert len(images) == 1777 and (true != given).sum() == 475
    assert set(true) == set(given) == set(range(10))


def test_the_example_makes_the_same_bytes(made):
    assert sha256_file(made / noisy_digits.IMAGES) == IMAGES_SHA256
    assert sha256_file(made / noisy_digits.TRUTH) == TRUTH_SHA256


def test_filling_in_a_drawn_table_takes_the_truth_and_leaves_the_rest(made):
    drawn = pd.DataFrame({"row": [3, 1], "path": ["", ""], "given": [0, 0], "label": ["", ""]})
    drawn.to_csv("drawn.csv", index=False)
    noisy_digits.label("drawn.csv")
    filled, truth = pd.read_csv("drawn.csv"), pd.read_csv(noisy_digits.TRUTH)["label"]
    assert filled["label"].tolist() == truth[[3, 1]].tolist()
    assert filled["row"].tolist() == [3, 1] and filled["given"].tolist() == [0, 0]


PAGE = ROOT / "docs" / "worked-example.md"
GIVEN, GOLD = (ROOT / "reports" / "published" / name for name in ("own_noisy_digits", "own_noisy_digits_gold"))


def commands() -> list[list[str]]:
    """The commands of the page as typed, in words."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [line[2:].split() for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_every_command_is_there_with_its_config(capsys):
    for words in commands():
        if words[0] == "make":
            load_config(words[2].partition("=")[2])
        elif words[2] == "smearlab":
            with pytest.raises(SystemExit, match="0"):
                main([words[3], "--help"])
            load_config(*(word for word in words if word.startswith("configs/")))
        else:
            assert words[2] == "examples.noisy_digits" and hasattr(noisy_digits, words[3])
    assert len(commands()) >= 10


def load_config(*paths: str) -> None:
    for path in paths:
        parse(read_config(ROOT / path))


@pytest.mark.parametrize(("run", "config"), [(GIVEN, "own-noisy-digits"), (GOLD, "own-noisy-digits-gold")])
def test_the_published_run_is_that_of_the_config(run, config):
    assert read_config(run / "config.yaml") == read_config(ROOT / "configs" / f"{config}.yaml")


def test_the_grid_is_that_of_own_data_with_ten_replicates():
    ours, template = (read_config(ROOT / "configs" / f"{name}.yaml") for name in ("own-noisy-digits", "own-data"))
    assert ours["methods"] == template["methods"] and ours["noises"] == template["noises"]
    (mine,), (theirs,) = (list(config["recipes"].values()) for config in (ours, template))
    assert mine == {**theirs, "stacked": True}


def test_what_the_page_concludes_follows_from_the_tables():
    given, gold = (pd.read_csv(run / "summary.csv") for run in (GIVEN, GOLD))
    truth = pd.read_csv(GIVEN / "truth.csv").query("method == 'label_smoothing'").set_index("alpha")["value"]
    agreement, judged = (
        table[table["method"] == "label_smoothing"].set_index("alpha")["difference"] for table in (given, gold)
    )
    weaker = truth.index[truth.index > 0]
    assert (agreement[weaker] < 0).all() and (truth[weaker] > 0).all() and (judged[weaker] > 0).all()
    assert truth.idxmax() == agreement[weaker].idxmin() == 0.8
    assert set(gold["verdict"]) <= {"baseline", "hurts", "not enough data", "not decided"}
    assert gold.loc[gold["verdict"] == "hurts", "alpha"].tolist() == [-0.4] and truth[-0.4] < 0


def test_without_a_true_label_no_table_judges():
    assert not {"helps", "hurts"} & set(pd.read_csv(GIVEN / "summary.csv")["verdict"])


def test_the_numbers_of_the_annotator_are_those_of_the_data():
    text = " ".join(PAGE.read_text("utf-8").split())
    assert "wrong on 475 of the other 1,777, 26.7 %" in text
