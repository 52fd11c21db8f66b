"""The estimated share of wrong labels: a bound from below only by networks that are mostly right."""

from types import SimpleNamespace

import pytest

from smearlab.report.sections.estimates import estimates, sentences

PLACE = {"dataset": "own", "noise": "given", "noise_rate": None, "recipe": "r"}


def _page(share: float, contradicted: int | None, error: float | None = None) -> tuple[list[str], str]:
    entry = {**PLACE, "estimator": "anchor", "n": 3, "noise_rate_estimated": share, "noise_rate_std": 0.01}
    entry |= {"error": error, "transition": [[1 - share, share], [share, 1 - share]]}
    held = [] if contradicted is None else [{**PLACE, "n_labels": 1000, "n_doubted": contradicted}]
    others = [{**PLACE, "noise": "other", "n_labels": 10, "n_doubted": 9}]  # of another place: never taken
    tables = SimpleNamespace(context={"estimates": [entry], "datasets": {}, "suspects": others + held})
    shown = estimates(tables)
    (row,) = [dict(zip(shown.columns, fields, strict=True)) for fields in shown.rows]
    return sentences(tables), row["estimated share of wrong labels, %"].text


@pytest.mark.parametrize(
    ("contradicted", "said"), [(None, "right themselves."), (290, "they contradict 29.0 % of the labels.")]
)
def test_networks_that_are_mostly_right_give_a_bound(contradicted, said):
    (sentence,), share = _page(0.25, contradicted)
    assert "at least 25.0 % of the labels are wrong by estimate, as far as" in sentence and said in sentence
    assert share == "at least 25.00"


def test_networks_that_contradict_most_labels_give_none():
    """CIFAR-100's human labels, 39 % wrong: networks right in 16 % of all images estimated 61 %."""
    (sentence,), share = _page(0.614, 818)
    assert "no bound" in sentence and "61.4 %" in sentence and "contradict 81.8 % of the labels" in sentence
    assert "at least" not in sentence and share == "61.40"


def test_beside_a_known_share_nothing_is_bounded():
    assert _page(0.25, 290, error=0.1) == ([], "25.00")
