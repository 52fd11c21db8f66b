"""Suspect labels: scores with a known answer, and how they are held against the truth."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smearlab.cli.parser import main
from smearlab.core import columns
from smearlab.evaluation import annotators, suspects
from smearlab.stages._label_quality import by_noise
from smearlab.store.files import write_sealed

NAMES = ["cat", "dog", "emu"]
PROBABILITIES = np.array([[[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3]]], dtype=np.float32)
OBSERVED = np.array([[0, 1, 2, 1]])
ROWS = np.array([7, 3, 5, 9])


def scored(true=(0, 0, 2, 1), observed=OBSERVED, probabilities=PROBABILITIES, names=()):
    return suspects.scored(ROWS, observed, probabilities, np.array(true), NAMES, names)


def test_the_score_is_the_normalised_margin_and_the_worst_comes_first():
    found = scored()
    assert found["row"].tolist() == [3, 9, 7, 5]
    assert found["score"].tolist() == pytest.approx([(0.2 - 0.7 + 1) / 2, 0.55, 0.85, 0.85], abs=1e-5)
    assert found["given"].tolist() == ["dog", "dog", "cat", "emu"]
    assert found["predicted"].tolist() == ["cat", "dog", "cat", "emu"]


def test_agreement_counts_the_replicates_that_say_otherwise():
    second = PROBABILITIES.copy()
    second[0, 1] = [0.1, 0.8, 0.1]
    found = scored(observed=np.repeat(OBSERVED, 2, axis=0), probabilities=np.concatenate([PROBABILITIES, second]))
    assert found.set_index("row")["agreement"].to_dict() == {3: 0.5, 9: 0.0, 5: 0.0, 7: 0.0}


def test_a_replicate_that_drew_another_label_does_not_speak_of_an_example():
    observed = np.array([[0, 1, 2, 1], [0, 0, 2, 1]])
    found = scored(observed=observed, probabilities=np.repeat(PROBABILITIES, 2, axis=0))
    assert found["score"].tolist() == pytest.approx(scored()["score"].tolist())


def test_files_are_named_and_unknown_truth_is_empty():
    found = scored(true=(-1, 0, 2, 1), names=[f"{k}.png" for k in range(10)])
    assert found["name"].tolist() == ["3.png", "9.png", "7.png", "5.png"]
    assert found["true"].tolist() == ["cat", "dog", "", "emu"]


def test_against_the_truth():
    first = {"precision_at_100": 0.25, "precision_at_wrong": 1.0}
    assert suspects.against_truth(scored()) == {"n": 4, "n_wrong": 1, **first, "auc": 1.0}
    assert suspects.against_truth(scored(true=(1, 1, 2, 1)))["auc"] == pytest.approx(1 / 6)
    right = suspects.against_truth(scored(true=(0, 1, 2, 1)))
    assert right == {"n": 4, "n_wrong": 0, **dict.fromkeys(first), "auc": None}


def in_order(wrong: str) -> pd.DataFrame:
    """Return suspects of which those marked x are wrong and those marked ? unknown, the most suspect first."""
    true = {"x": "dog", ".": "cat", "?": ""}
    return pd.DataFrame({"given": "cat", "true": [true[mark] for mark in wrong], "score": np.arange(len(wrong)) / 1000})


@pytest.mark.parametrize(
    ("wrong", "at_wrong", "auc"),
    [
        ("xx..", 1.0, 1.0),
        ("..xx", 0.0, 0.0),
        ("x.x.", 0.5, 3 / 4),  # of the four pairs of a wrong and a right one, one is the wrong way round
        ("?x?.?x.", 0.5, 3 / 4),  # unknown ones take no part
    ],
)
def test_a_known_order_has_a_known_precision_and_auc(wrong: str, at_wrong: float, auc: float) -> None:
    found = suspects.against_truth(in_order(wrong))
    assert found["precision_at_wrong"] == at_wrong and found["auc"] == pytest.approx(auc)
    assert found["precision_at_100"] == found["n_wrong"] / found["n"]


def test_of_the_100_most_suspect() -> None:
    found = suspects.against_truth(in_order("x" * 81 + "." * 19 + ".x" * 50))
    assert found["precision_at_100"] == 0.81 and found["n"] == 200 and found["n_wrong"] == 131


def test_a_row_for_each_noise() -> None:
    told = {"dataset": "digits", "noise": "flips", "noise_rate": 0.4, "recipe": "small", "kind": "pair_flip"}
    said = [
        {**told, **suspects.against_truth(in_order(wrong)), "n_doubted": 2, "pairs": []} for wrong in ("x.x.", "??")
    ]
    found = by_noise(said)
    assert list(found) == list(columns.names(columns.SUSPECTS_BY_NOISE))
    assert found["share_wrong"].iloc[0] == 0.5 and found["share_wrong"].isna().iloc[1]
    assert list(by_noise([])) == list(found)


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave the tables of suspects of the grid `one`, as a finished run does; return their folder."""
    monkeypatch.chdir(tmp_path)
    config = {
        "name": "one",
        "datasets": {"digits": {"kind": "digits"}},
        "noises": {"flips": {"kind": "pair_flip", "rates": [0.4]}},
        "recipes": {"small": {"architecture": "cnn", "epochs": 1}},
        "methods": ["cross_entropy", {"name": "forward", "transition": "estimated(anchor)"}],
    }
    Path("one.json").write_text(json.dumps(config), encoding="utf-8")
    told = {"dataset": "digits", "noise": "flips", "noise_rate": 0.4, "recipe": "small"}
    order = in_order("x" * 81 + "." * 19 + ".x" * 50)
    said = {**told, "kind": "pair_flip", **suspects.against_truth(order), "n_doubted": 90}
    folder = Path("results/one")
    folder.mkdir(parents=True)
    rows = order.assign(**told, row=range(len(order)), name="", predicted="dog", agreement=1.0)
    rows[list(columns.names(columns.SUSPECTS))].to_csv(folder / "suspects.csv", index=False)
    by_noise([said]).to_csv(folder / "suspects_by_noise.csv", index=False)
    write_sealed(folder / "context.json", {"suspects": [said]})
    return folder


def test_the_command_lists_the_first_and_says_how_often_they_are_wrong(measured: Path, capsys) -> None:
    assert main(["suspects", "one.json", "--n", "2"]) == 0
    head, names, *rows, last = capsys.readouterr().out.splitlines()
    assert (
        head == "digits, flips, 0.4, small: of the 100 most suspect 81% are wrong, AUC 0.75"
    )  # (81 · 69 + 1225) / (131 · 69)
    assert names.split() == ["row", "given", "predicted", "score", "agreement", "true"]
    assert [row.split() for row in rows] == [
        [f"{k}", "cat", "dog", f"0.00{k}" if k else "0.0", "1.0", "dog"] for k in (0, 1)
    ]
    assert last == "all: results/one/suspects.csv"


def test_the_command_prints_a_table_of_grids_and_of_published_folders(measured: Path, capsys) -> None:
    assert main(["suspects", "one.json", str(measured), "--table"]) == 0
    head, rule, *rows = capsys.readouterr().out.splitlines()
    assert head.count("|") == rule.count("|") == 10 and len(rows) == 2 and rows[0] == rows[1]
    assert rows[0].startswith("| one | digits | flips (pair_flip) | 40 % | 200 | 65.5 % | 81.0 % |")


def test_the_command_says_what_is_missing_in_one_line(measured: Path, capsys) -> None:
    for path in measured.glob("*.csv"):
        path.unlink()
    for arguments in (["suspects", "one.json"], ["suspects", "one.json", "--table"]):
        assert main(arguments) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_pairs_of_classes_are_counted_among_contradicted_labels():
    assert [(given, said, len(rows)) for given, said, rows in suspects.pairs(scored(), 5)] == [("dog", "cat", 1)]


def test_two_annotators():
    """Cohen 1960: po = 0.75, pe = 0.5 of two who say each class equally often."""
    one, other = np.array([0, 0, 1, 1, -1]), np.array([0, 1, 1, 0, 1])
    assert annotators.agreement(one, other) == {"n": 4, "same": 0.5, "kappa": pytest.approx(0.0)}
    found = annotators.agreement(np.array([0, 0, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0, 1, 1, 0]))
    assert found == {"n": 8, "same": 0.75, "kappa": pytest.approx(0.5)}
    assert annotators.agreement(np.array([-1]), np.array([0]))["n"] == 0
    assert annotators.agreement(np.zeros(3, int), np.zeros(3, int))["kappa"] is None
