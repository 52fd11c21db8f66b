"""How many more true labels would decide, in words: no command asks for examples that are not there."""

import re

import pandas as pd
import pytest

from smearlab.report.facts import Facts
from smearlab.report.given_labels import gold_sentences


def said(needed: float, *, n: int = 200, there: int | None = 533) -> str:
    rows = pd.DataFrame(
        {"dataset": ["own"], "verdict": ["not decided"], "difference": [0.01], "examples_needed": [needed]}
    )
    (sentence,) = gold_sentences(rows, Facts(name="mine", n_gold={"own": n}, n_test={"own": there} if there else {}))
    return sentence


@pytest.mark.parametrize(("needed", "asked"), [(500.0, 300), (533.0, 333), (10351.0, 333)])
def test_the_command_draws_what_would_decide_or_what_is_left(needed: float, asked: int) -> None:
    assert [int(n) for n in re.findall(r"gold mine --n (\d+)", said(needed))] == [asked]


def test_what_is_left_is_said_to_be_too_little_where_it_is() -> None:
    assert "333 are left" in said(10351.0) and "more examples could" in said(10351.0)
    assert "are left" not in said(500.0)


def test_a_test_part_that_is_all_gold_has_none_left_and_no_command() -> None:
    assert "none is left" in said(10351.0, n=533) and "--n" not in said(10351.0, n=533)


def test_where_the_size_of_the_test_part_is_not_known_what_is_needed_is_asked_for() -> None:
    assert "--n 10151" in said(10351.0, there=None)
