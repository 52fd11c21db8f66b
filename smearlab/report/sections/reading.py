"""How to read the page: what the verdicts look like, and what the size of a test set hides."""

import pandas as pd

from smearlab.figures import _cells as cells
from smearlab.figures import _format as text
from smearlab.report.facts import Facts
from smearlab.report.fields import chip
from smearlab.report.table import Field
from smearlab.statistics import verdict as verdicts
from smearlab.statistics.variance import binomial_standard_error


def verdict_chips() -> dict[str, Field]:
    """Return the chips that the page explains, by their slug; `undecided` is the other word for what is open."""
    explained = (*verdicts.DECIDED, verdicts.NOT_ENOUGH, verdicts.DIVERGED, verdicts.IDENTICAL)
    return {field.chip: field for field in map(chip, explained)} | {"undecided": chip(verdicts.NOT_DECIDED)}


def binomial_errors(summary: pd.DataFrame, known: Facts) -> list[str]:
    """Say, per data set, the standard error that the size of the test set gives to one plain accuracy.

    Of accuracies only: no other measure is a share of the test examples.
    """
    if known.measure != "accuracy":
        return []
    plain = cells.plain_rows(summary[summary["mean"].notna()])
    judged = [dataset for dataset in known.n_test if known.clean.get(dataset, True)]
    measured = {dataset: plain.loc[plain["dataset"] == dataset, "mean"] for dataset in judged}
    return [_error(name, means.iloc[-1], known.n_test[name]) for name, means in measured.items() if len(means)]


def _error(dataset: str, accuracy: float, n_test: int) -> str:
    error = float(binomial_standard_error(accuracy, n_test))
    return (
        f"On {dataset}, an accuracy of {text.percent(accuracy)} measured on {text.counted(n_test, 'test example')} "
        f"has a binomial standard error of {text.size(error)} points."
    )
