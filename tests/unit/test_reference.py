"""Published numbers: readable, complete, and set beside those cells alone that they speak of."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from smearlab.core import registry
from smearlab.core.digest import ROOT
from smearlab.grid.load import read_config
from smearlab.reference import compare
from smearlab.reference.compare import COLUMNS, beside, beyond, published
from smearlab.reference.nearby import further, nearby
from smearlab.report.sections.estimates import estimates
from smearlab.report.sections.published import published as published_section
from smearlab.report.sections.published import unknown

PAPER = "Lukasik et al. 2020"
MEASURED = ["test_accuracy", "test_accuracy_last", "test_accuracy_selected", "best_on_test_accuracy"]
TREATMENTS: list[dict[str, Any]] = [
    {"method": "cross_entropy", "alpha": None},
    {"method": "label_smoothing", "alpha": 0.1},
    {"method": "forward", "alpha": None, "transition": "matched"},
    {"method": "forward", "alpha": None, "transition": "estimated(anchor)"},
    {"method": "backward", "alpha": None, "transition": "matched"},
]
KEYS = {"paper", "place", "source", "confidence", "protocol", "dataset", "arch", "noise", "rate", "n"}
SETTINGS = {"column", "note", "role", "method", "alpha", "transition", "teacher_method", "mean", "std"}


def test_every_entry_is_whole_and_names_what_a_grid_can_have() -> None:
    for number in published():
        assert set(number) >= KEYS | {"method", "mean"} and set(number) <= KEYS | SETTINGS
        assert 0 < number["mean"] < 100 and number.get("std", 0) >= 0
        assert number["confidence"] in ("high", "medium", "low")
        assert number["protocol"] in ("last", "selected", "best_on_test", "unknown")
        assert number["method"] in registry.names("methods")
        assert number["arch"] in registry.names("networks")
        assert number["noise"] in ("none", *registry.names("noises"))


def test_every_number_of_a_network_that_no_grid_has_is_whole() -> None:
    for number in further():
        assert set(number) >= KEYS | {"method", "mean"} and set(number) <= KEYS | SETTINGS
        assert number["method"] in registry.names("methods") and number["arch"] not in registry.names("networks")


def test_no_number_stands_twice() -> None:
    told = [tuple(sorted((k, str(v)) for k, v in number.items() if k not in ("mean", "std"))) for number in published()]
    assert len(set(told)) == len(told)


def test_methods_that_no_grid_has_are_whole_and_in_no_registry() -> None:
    numbers = beyond()
    assert {"sop", "dividemix", "positive_label_smoothing"} <= {number["method"] for number in numbers}
    assert not {number["method"] for number in numbers} & set(registry.names("methods"))
    for number in numbers:
        assert set(number) - {"column", "std"} == KEYS - {"rate"} | {"note", "method", "mean"}
        assert 50 < number["mean"] < 100 and number["confidence"] in ("high", "medium")


CONFIG = {
    "datasets": {"images": {"kind": "cifar10", "subset": None, "test_subset": None}},
    "noises": {
        "sym": {"kind": "symmetric", "rates": [0, 0.2]},
        "worst": {"kind": "human", "column": "worse_label"},
    },
}


def cell(**changes: Any) -> dict[str, Any]:
    named = {
        "dataset": "images",
        "noise": "sym",
        "noise_rate": 0.2,
        "recipe": "r",
        "arch": "resnet32",
        "role": "teacher",
        "method": "label_smoothing",
        "alpha": 0.1,
        "transition": None,
        "options": "",
        "teacher_method": None,
        "cell": "teachers/a",
    }
    return named | changes


def compared(accuracies: list[float | None], config: Any = CONFIG, **changes: Any) -> pd.DataFrame:
    row = cell(**changes)
    metrics = pd.DataFrame(
        [
            {
                **row,
                "noise_seed": k,
                "seed": k,
                "test_accuracy": a,
                "test_accuracy_last": None if a is None else a - 0.01,
                "test_accuracy_selected": None if a is None else a + 0.02,
                "best_on_test_accuracy": None if a is None else a + 0.01,
            }
            for k, a in enumerate(accuracies)
        ]
    )
    return beside(pd.DataFrame([row]), metrics, {"config": config})


def test_the_papers_number_stands_beside_its_cell_with_the_right_difference() -> None:
    ours = [0.84, 0.85, 0.83, 0.845, 0.835]
    (row,) = compared(ours).to_dict("records")
    assert row["paper"] == PAPER and row["their_mean"] == pytest.approx(0.8395) and row["their_n"] == 5
    error = math.sqrt(np.var(ours, ddof=1) / 5 + 0.0018**2 / 5)
    assert row["difference"] == pytest.approx(np.mean(ours) - 0.8395)
    assert row["standard_errors"] == pytest.approx((np.mean(ours) - 0.8395) / error)
    assert row["ours_is"] == "reported" and row["n"] == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"noise_rate": 0.25},
        {"alpha": 0.11},
        {"arch": "resnet20"},
        {"method": "forward", "transition": "matched", "alpha": None},
        {"options": '{"warm_up":0.5}'},
        {"noise": "worst", "noise_rate": None},
    ],
)
def test_another_cell_matches_nothing_of_the_paper(changes: dict[str, Any]) -> None:
    assert PAPER not in set(compared([0.8, 0.9], **changes)["paper"])


def test_a_subset_of_the_data_matches_nothing() -> None:
    data = {"images": {"kind": "cifar10", "subset": 5000, "test_subset": None}}
    found = compared([0.8, 0.9], config=CONFIG | {"datasets": data})
    assert len(found) == 0 and list(found.columns) == COLUMNS


def test_best_on_test_is_compared_with_best_on_test() -> None:
    found = compared([0.7, 0.8], noise="worst", noise_rate=None, arch="resnet34", method="cross_entropy", alpha=None)
    found = found[found["n"] > 0].set_index("protocol")
    assert found.loc["best_on_test", "mean"].tolist() == pytest.approx([0.76, 0.76])
    assert found.loc["last", "mean"] == pytest.approx(0.74) and found.loc["last", "ours_is"] == "last"
    assert set(found.loc["best_on_test", "ours_is"]) == {"best_on_test"}


def test_methods_that_no_grid_has_stand_beside_cross_entropy_and_are_compared_with_nothing() -> None:
    worst = {"noise": "worst", "noise_rate": None, "method": "cross_entropy", "alpha": None, "arch": "resnet20"}
    found = compared([0.7, 0.8], **worst)
    smoothing = ["negative_label_smoothing", "positive_label_smoothing"]
    estimating = ["peer_loss", "t_revision_three_stage", "volminnet"]
    assert sorted(found["method"]) == sorted(["co_teaching", "dividemix", "dividemix", "sop", *smoothing, *estimating])
    assert found.loc[found["method"] == "sop", "their_mean"].item() == pytest.approx(0.8366)
    assert (found["n"] == 0).all() and found[["mean", "difference", "standard_errors"]].isna().all(axis=None)
    assert len(compared([0.7, 0.8], **{**worst, "method": "label_smoothing", "alpha": 0.1})) == 0
    assert "sop" not in set(compared([0.7, 0.8], **{**worst, "noise": "sym", "noise_rate": 0.2})["method"])
    assert "dividemix" in set(compared([0.7, 0.8], **{**worst, "noise": "sym", "noise_rate": 0.0})["method"])
    assert published_section(SimpleNamespace(reference=found)) is not None


SMALL = CONFIG | {"datasets": {"images": {"kind": "cifar10", "subset": 12000, "test_subset": 4000}}}


def near(config: Any = SMALL, **changes: Any) -> pd.DataFrame:
    """What stands beside a cell that matches nothing."""
    row = cell(**changes)
    seeds = {"noise_seed": [0, 1], "seed": [0, 1]}
    accuracies = {key: [0.7, 0.8] for key in MEASURED}
    metrics = pd.DataFrame({**{key: [value] * 2 for key, value in row.items()}, **seeds, **accuracies})
    return nearby(pd.DataFrame([row]), metrics, {"config": config})


def test_beside_a_cell_of_a_subset_stands_the_papers_number_with_what_differs_and_no_difference() -> None:
    found = near(arch="cnn")
    (row,) = found[found["paper"] == PAPER].to_dict("records")
    assert row["mean"] == pytest.approx(0.75) and row["their_mean"] == pytest.approx(0.8395)
    assert row["differs"] == "cnn, theirs resnet32; 12,000 training and validation images; 4,000 test images"
    assert found[["difference", "standard_errors"]].isna().all(axis=None) and found["source"].notna().all()


def test_a_cell_with_a_match_of_its_own_has_no_row_that_is_only_near() -> None:
    assert len(compared([0.8, 0.9])) and not len(near(config=CONFIG))


def test_the_papers_correction_stands_beside_the_matched_one_with_its_own_matrix() -> None:
    found = near(arch="cnn", method="forward", alpha=None, transition="matched")
    assert set(found["paper"]) == {PAPER} and found["differs"].item().endswith("their T is that of α = 0.1")
    assert PAPER not in set(near(arch="cnn", method="forward", alpha=None, transition="true")["paper"])


def test_other_noise_is_not_near() -> None:
    assert not len(near(arch="cnn", noise_rate=0.25)) and not len(near(arch="cnn", method="confidence_penalty"))


def test_without_noise_only_networks_that_were_published_under_noise_stand_beside() -> None:
    clean = near(arch="cnn", noise_rate=0.0, method="cross_entropy", alpha=None)
    compared_with = clean[clean["n"] > 0]
    assert "epsilon-softmax (NeurIPS 2024)" in set(compared_with["paper"])
    assert not {"He et al. 2016", "akamaster/pytorch_resnet_cifar10"} & set(compared_with["paper"])


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("cifar10-cpu", ("cross_entropy", "label_smoothing", "forward", "backward")),
        ("cifar10-human-cpu", ("cross_entropy", "forward", "positive_label_smoothing")),
        ("cifar100-cpu", ("cross_entropy", "label_smoothing", "forward", "backward")),
        ("cifar100-human-cpu", ("cross_entropy", "forward", "positive_label_smoothing")),
    ],
)
def test_the_small_cifar_grids_have_published_numbers_beside_them(name: str, methods: tuple[str, ...]) -> None:
    config = read_config(ROOT / "configs" / f"{name}.yaml")
    ((dataset, _),) = config["datasets"].items()
    places = [(n, r) for n, said in config["noises"].items() for r in said.get("rates", [None])]
    rows = [
        {**cell(), "dataset": dataset, "noise": n, "noise_rate": r, "arch": "cnn", "cell": f"{n}{r}{k}", **treated}
        for n, r in places
        for k, treated in enumerate(TREATMENTS)
    ]
    metrics = pd.DataFrame([{**row, "noise_seed": 0, "seed": 0, **dict.fromkeys(MEASURED, 0.5)} for row in rows])
    found = nearby(pd.DataFrame(rows), metrics, {"config": config})
    assert set(methods) <= set(found["method"])
    assert {"protocol", "source", "confidence"} <= set(found.dropna(axis=1, how="any").columns)
    assert published_section(SimpleNamespace(reference=found)) is not None


def test_a_public_data_set_without_a_published_number_is_said_to_have_none() -> None:
    kinds = {"coarse": {"kind": "cifar100_coarse"}, "images": {"kind": "cifar10"}, "own": {"kind": "arrays"}}
    found = unknown(SimpleNamespace(reference=compared([0.8, 0.9]), config={"datasets": kinds}))
    assert found == ["Of coarse (cifar100_coarse) no published number for these noises and methods is known."]
    assert unknown(SimpleNamespace(reference=pd.DataFrame(), config={"datasets": {"own": {"kind": "arrays"}}})) == []


def test_an_epoch_chosen_on_validation_data_is_compared_with_ours(monkeypatch) -> None:
    number = {**published()[0], "dataset": "cifar10", "method": "label_smoothing", "alpha": 0.1, "protocol": "selected"}
    monkeypatch.setattr(compare, "published", lambda: (number,))
    (row,) = compared([0.7, 0.8]).to_dict("records")
    assert row["mean"] == pytest.approx(0.77) and row["ours_is"] == "selected"


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_human_labels_and_symmetric_noise_are_known_with_every_protocol_said(dataset: str) -> None:
    numbers = [number for number in published() if number["dataset"] == dataset]
    assert {"human", "symmetric", "none"} <= {number["noise"] for number in numbers}
    assert {"last", "best_on_test"} <= {number["protocol"] for number in numbers}


def test_any_estimator_stands_beside_an_estimated_correction() -> None:
    changes = {"arch": "resnet34", "method": "forward", "alpha": None, "transition": "estimated(anchor)"}
    assert set(compared([0.8, 0.9], **changes)["paper"]) == {"Liu et al. 2020"}
    assert len(compared([0.8, 0.9], **changes | {"transition": "true"})) == 0


def test_one_replicate_has_a_difference_and_no_standard_error() -> None:
    (row,) = compared([0.8]).to_dict("records")
    assert row["difference"] == pytest.approx(0.8 - 0.8395) and math.isnan(row["standard_errors"] or math.nan)


def test_a_cell_without_results_is_left_out() -> None:
    assert len(compared([None, None])) == 0


def test_the_page_says_both_sides_with_their_protocol() -> None:
    shown = published_section(SimpleNamespace(reference=compared([0.84, 0.85, 0.83])))
    (row,) = [dict(zip(shown.columns, fields, strict=True)) for fields in shown.rows]
    assert row["ours, %"].text == "84.00 ± 1.00" and row["ours, %"].note == "reported"
    assert row["theirs, %"].text == "83.95 ± 0.18" and row["their epoch"].text == "not stated"
    assert row["difference"].text == "+0.05" and row["in standard errors"].text == "+0.1"
    assert row["from"].text.startswith(PAPER)
    assert published_section(SimpleNamespace(reference=pd.DataFrame(columns=COLUMNS))) is None


def test_the_page_says_what_an_estimate_means() -> None:
    entry = {"dataset": "own", "noise": "given", "noise_rate": None, "recipe": "r", "estimator": "dual_t", "n": 3}
    entry |= {"noise_rate_estimated": 0.25, "noise_rate_std": None, "error": None}
    entry["transition"] = [[0.8, 0.2, 0.0], [0.0, 0.9, 0.1], [0.45, 0.0, 0.55]]
    names = {"own": {"class_names": ["cat", "dog", "owl"]}}
    worth = "a point on noisy labels is"
    assert worth not in estimates(SimpleNamespace(context={"estimates": [entry], "datasets": names})).columns
    shown = estimates(SimpleNamespace(context={"estimates": [{**entry, "by_class": True}], "datasets": names}))
    (row,) = [dict(zip(shown.columns, fields, strict=True)) for fields in shown.rows]
    assert row["estimated share of wrong labels, %"].text == "at least 25.00"
    assert row[worth].text == "1.60 on clean ones"  # 1 / (1 - 0.25 * 3 / 2)
    assert row["most frequent confusions"].text == "“owl” as “cat” 45.0 %, “cat” as “dog” 20.0 %, “dog” as “owl” 10.0 %"
