"""747 : 70: what hurts by accuracy can serve all classes best, and the page says it by the measure asked for."""

import pandas as pd
import pytest
from fake_grid import fake_tables, teacher

from smearlab.report.answer import answer
from smearlab.report.facts import facts
from smearlab.report.page import render
from smearlab.report.sections._unequal import by_class, unequal
from smearlab.report.sections.numbers import numbers
from smearlab.statistics.summary import summarise
from smearlab.store.measure import judged_by
from smearlab.store.tables import Tables, make_tables

ZEROS = 747 / 817
CELLS = [teacher("cross_entropy"), teacher("label_smoothing", 0.1)]
RECALLS = {"cross_entropy": (0.99, 0.20), "label_smoothing": (0.86, 0.80)}  # of the zeros, of the eights


def made(measure: str, share: float = ZEROS) -> Tables:
    """Return a grid of zeros and eights in which smoothing gives up some of the many for most of the few."""
    fake = fake_tables(cells=CELLS, rates=(0.4,), seeds=5)
    metrics = fake.metrics.drop(columns=["accuracy", "key"])
    many, few = (metrics["method"].map(lambda method, k=k: RECALLS[method][k]) for k in (0, 1))
    luck = 0.001 * metrics["seed"] + 0.0003 * ((metrics["seed"] * 7 + metrics["alpha"].notna()) % 3)
    metrics["test_accuracy"] = share * many + (1 - share) * few + luck
    metrics["test_balanced_accuracy"] = (many + few) / 2 + luck
    metrics["test_lowest_recall"], metrics["test_majority_share"] = few, share
    for column in ("last", "selected", "label_wave"):
        for name in ("accuracy", "balanced_accuracy"):
            metrics[f"test_{name}_{column}"] = metrics[f"test_{name}"]
    context = {**fake.context, "datasets": {"digits": {**fake.context["datasets"]["digits"], "n_classes": 2}}}
    context["config"] = {**fake.config, "measure": measure}
    summary = summarise(judged_by(metrics, measure), margin=0.5, primary=None)
    return make_tables(metrics=metrics, summary=summary, history=pd.DataFrame(), curves=pd.DataFrame(), context=context)


def smoothed(tables: Tables) -> pd.Series:
    return tables.summary[tables.summary["method"] == "label_smoothing"].iloc[0]


def test_what_hurts_by_accuracy_helps_by_balanced_accuracy() -> None:
    by_accuracy, balanced = smoothed(made("accuracy")), smoothed(made("balanced_accuracy"))
    assert by_accuracy["verdict"] == "hurts" and by_accuracy["difference"] == pytest.approx(-0.0675, abs=0.002)
    assert balanced["verdict"] == "helps" and balanced["difference"] == pytest.approx(0.235, abs=0.002)


def test_the_answer_follows_the_measure_and_the_accuracy_stands_beside() -> None:
    tables = made("balanced_accuracy")
    said = answer(tables.summary, facts(tables), tables.mitigation)
    assert "helped" in said.headline and "hurt" not in said.headline
    assert "balanced accuracy" in render(tables, [])
    assert {"accuracy", "recall of the worst class", "share of the largest class"} <= set(columns_of(tables))


def test_judged_by_accuracy_the_majority_and_the_worst_class_stand_beside() -> None:
    tables = made("accuracy")
    assert "hurt" in answer(tables.summary, facts(tables), tables.mitigation).headline
    beside = {"balanced accuracy", "recall of the worst class", "share of the largest class"}
    assert unequal(tables) == {"digits"} and beside <= set(columns_of(tables))


def test_classes_of_about_equal_size_add_nothing() -> None:
    tables = made("accuracy", share=0.6)
    assert not by_class(tables) and "recall of the worst class" not in columns_of(tables)


def columns_of(tables: Tables) -> list[str]:
    (table,) = numbers(tables)
    return [*table.columns, *(name for name, _ in table.same)]
