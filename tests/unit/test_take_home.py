"""The methods that a grid's advice chose stand on the page as code that gives the same loss."""

from dataclasses import replace

import pandas as pd
import pytest
import torch
from fake_grid import fake_tables

from smearlab.core.jobs import MethodSettings
from smearlab.report.sections.advice import advice
from smearlab.report.sections.take_home import take_home
from smearlab.store.tables import Tables
from smearlab.training.objective import Objective

T = [[0.6, 0.4], [0.1, 0.9]]


def advised(advice: str, **columns: object) -> Tables:
    """Fake tables whose advice is one method everywhere; `columns` name it in the first teacher row of each place."""
    tables = fake_tables()
    summary = tables.summary.copy()
    first = summary[summary["role"] == "teacher"].drop_duplicates(["dataset", "noise", "noise_rate", "recipe"]).index
    for name, value in columns.items():
        summary.loc[first, name] = value
    choice = tables.choice.copy()
    choice["advice"] = advice
    places = summary.loc[first, ["dataset", "noise", "noise_rate", "recipe"]].to_dict("records")
    places = [{**place, "noise_rate": None} if pd.isna(place["noise_rate"]) else place for place in places]
    estimates = [{**place, "estimator": "dual_t", "transition": T} for place in places]
    return replace(tables, summary=summary, choice=choice, context={**tables.context, "estimates": estimates})


def test_chosen_smoothing_is_one_line_of_torch_named_with_its_places() -> None:
    tables = advised("label_smoothing 0.1")
    (snippet,) = take_home(tables)
    assert "criterion = torch.nn.CrossEntropyLoss(label_smoothing=0.1)" in snippet.code
    assert snippet.title == "label smoothing α = 0.1"
    assert len(snippet.places) == len(set(snippet.places)) == (tables.choice["role"] == "teacher").sum()


def test_a_chosen_correction_carries_its_estimated_matrix() -> None:
    columns = {"method": "forward", "alpha": float("nan"), "transition": "estimated(dual_t)", "options": ""}
    (snippet,) = take_home(advised("forward estimated(dual_t)", **columns))
    names: dict = {}
    exec(compile(snippet.code, "snippet", "exec"), names)
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 1, 0, 1, 0])
    ours = Objective(MethodSettings("forward", transition="true"), T, 6, 2, torch.device("cpu"))
    expected = ours(logits, labels, torch.arange(6), warming=False).mean()
    torch.testing.assert_close(names["criterion"](logits, labels), expected)


def test_options_of_a_chosen_method_are_those_of_the_table() -> None:
    columns = {"method": "gce", "alpha": float("nan"), "options": '{"q":0.3,"warm_up":0.1}'}
    (snippet,) = take_home(advised('gce {"q":0.3,"warm_up":0.1}', **columns))
    assert "loss(logits, labels, q=0.3).mean()" in snippet.code
    assert "first 10% of the training" in snippet.code


@pytest.mark.parametrize("advice", ["", "something else"])
def test_advice_that_names_no_cell_has_no_code(advice: str) -> None:
    assert take_home(advised(advice)) == []


def test_the_table_of_choices_calls_a_method_as_the_rest_of_the_page_does() -> None:
    options = '{"beta":0.7,"weight":3.0}'
    tables = advised(f"elr {options}", method="elr", alpha=float("nan"), options=options)
    called = advice(tables)
    assert called is not None
    assert dict(called.same)["advice"] == "early-learning regularisation (beta 0.7, weight 3.0)"
