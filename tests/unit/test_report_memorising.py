"""The page says whether plain training memorises wrong labels, of every noise."""

import pytest
from fake_grid import fake_tables

from smearlab.report.memorising import sentences
from smearlab.report.page import render


def told(share: float, **changes):
    """The sentences of a grid whose plain networks memorise so much."""
    tables = fake_tables(noises=("symmetric", "human_twin"), rates=(0.0, 0.2, 0.4), details=False, **changes)
    metrics = tables.metrics
    metrics.loc[(metrics["method"] == "cross_entropy") & metrics["memorised"].notna(), "memorised"] = share
    metrics.loc[metrics["memorised"].notna(), "recovered"] = 0.25
    return sentences(tables)


@pytest.mark.parametrize(("share", "word"), [(0.05, "hardly memorises"), (0.3, "a part of"), (0.8, "most of")])
def test_the_share_of_wrong_labels_has_its_word(share: float, word: str) -> None:
    (sentence,) = told(share)
    assert word in sentence and f"{share:.0%}".replace("%", " %") + " of them with symmetric 20 % noise" in sentence
    assert "human twin 40 % noise (the true one on 25 %)" in sentence
    assert ("hardly by keeping networks from memorising" in sentence) == (share < 0.15)


def test_each_data_set_is_told_apart_and_no_student_counts() -> None:
    found = told(0.3, datasets=("digits", "cifar10"))
    assert [sentence.split()[1] for sentence in found] == ["digits", "cifar10"]


def test_without_a_known_wrong_label_nothing_is_said() -> None:
    assert sentences(fake_tables(clean=False, details=False)) == []
    assert sentences(fake_tables(rates=(0.0,), details=False)) == []


def test_the_page_has_the_sentence() -> None:
    assert "plain training memorises most of its wrong labels" in render(fake_tables(), [])
