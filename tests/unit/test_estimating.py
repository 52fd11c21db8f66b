"""Estimated T: from the training part alone, out of sample, resumable, and right on data whose T is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tiny_training import N_CLASSES, SGD, recipe, training_data
from tiny_training import job as tiny_job

from smearlab.core.jobs import (
    EstimateJob,
    EstimateSettings,
    MethodSettings,
    Replicate,
    TrainingJob,
    WarmUpJob,
)
from smearlab.core.transition import flips, row_errors
from smearlab.noises._sampler import sample_transition
from smearlab.stages import estimate_transition
from smearlab.stages.warm_up import cross_fit, warm_up_recipe
from smearlab.store.files import read_json, sha256_file, write_json, write_npz
from smearlab.training.block import EXIT_INTERRUPTED
from smearlab.training.correction import Corrections, corrections, transition_facts


def job(**changes: Any) -> WarmUpJob:
    plain = {
        "cell": "estimates/tiny",
        "block": "paired-0",
        "replicates": [Replicate(k, k) for k in range(2)],
        "recipe": recipe(augmentation={"crop": 0, "flip": False}),
        "estimate": EstimateSettings(folds=3, length=0.5),
        "n_classes": N_CLASSES,
        "code": "0",
    }
    return WarmUpJob(**plain | changes)


def noisy(training: SimpleNamespace, count: int = 2) -> list[np.ndarray]:
    draws = [np.random.default_rng([5, k]).random(len(training.labels)) for k in range(count)]
    asymmetric = flips(N_CLASSES, 0.3, [1, 2, 2])
    return [sample_transition(asymmetric, training.labels, draw) for draw in draws]


def fit(training: SimpleNamespace, observed: list[np.ndarray], folder: Path, **changes: Any) -> dict[str, np.ndarray]:
    arrays, _ = cross_fit(job(**changes), training, observed, checkpoints=folder, log=lambda line: None)
    return arrays


def test_what_is_not_the_training_part_changes_nothing(tmp_path: Path) -> None:
    training = training_data()
    observed = noisy(training)
    before = fit(training, observed, tmp_path / "before")
    held_out = training.part == 1
    training.images[held_out] = 255 - training.images[held_out]
    training.labels = (training.labels + 1) % N_CLASSES
    changed = [np.where(held_out, (labels + 1) % N_CLASSES, labels) for labels in observed]
    after = fit(training, changed, tmp_path / "after")
    for name, array in before.items():
        assert np.array_equal(array, after[name]), name


def test_no_example_is_predicted_by_a_network_that_saw_its_label(tmp_path: Path) -> None:
    training = training_data()
    observed = noisy(training, 1)
    one = {"replicates": [Replicate(0, 0)]}
    before = fit(training, observed, tmp_path / "before", **one)
    fold = before["fold"][0]
    chosen = np.flatnonzero(training.part == 0)[fold == 0]
    # Swapping two labels inside a fold keeps every stratum; the folds are kept by drawing them once, above.
    first = next(i for i in chosen if observed[0][i] == 0)
    second = next(i for i in chosen if observed[0][i] == 1)
    swapped = observed[0].copy()
    swapped[[first, second]] = swapped[[second, first]]
    after = fit_with_folds(training, [swapped], fold, tmp_path / "after", one)
    same = before["probabilities"][0] == after["probabilities"][0]
    assert same[fold == 0].all()
    assert not same[fold != 0].all()


def fit_with_folds(training, observed, fold, folder, changes) -> dict[str, np.ndarray]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smearlab.stages.warm_up.stratified_folds", lambda *_: fold)
        return fit(training, observed, folder, **changes)


def test_probabilities_are_probabilities_and_every_replicate_has_its_own(tmp_path: Path) -> None:
    training = training_data()
    arrays = fit(training, noisy(training), tmp_path)
    n = int((training.part == 0).sum())
    assert arrays["probabilities"].shape == (2, n, N_CLASSES)
    assert np.allclose(arrays["probabilities"].sum(axis=2), 1, atol=1e-5)
    assert not np.array_equal(arrays["fold"][0], arrays["fold"][1])
    assert not np.array_equal(arrays["probabilities"][0], arrays["probabilities"][1])


def test_a_killed_fit_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    training = training_data()
    observed = noisy(training)
    unbroken = fit(training, observed, tmp_path / "unbroken")
    lines: list[str] = []

    def stop_in_third(line: str) -> None:
        lines.append(line)
        if sum("fold" in text for text in lines) == 3:
            raise SystemExit(EXIT_INTERRUPTED)

    with pytest.raises(SystemExit):
        cross_fit(job(), training, observed, checkpoints=tmp_path / "broken", log=stop_in_third)
    lines.clear()
    arrays, _ = cross_fit(job(), training, observed, checkpoints=tmp_path / "broken", log=lines.append)
    assert sum("1 of 1 replicates are finished" in line for line in lines) == 2  # the first two folds are not redone
    assert all(np.array_equal(unbroken[name], array) for name, array in arrays.items())


@pytest.mark.parametrize(("whole", "length", "cut"), [(30, 0.3, 9), (1, 0.1, 1), (10, 1.0, 10)])
def test_the_recipe_is_cut_in_its_own_unit(whole: int, length: float, cut: int) -> None:
    assert warm_up_recipe(recipe(epochs=whole), length).epochs == cut
    in_steps = warm_up_recipe(recipe(epochs=None, steps=whole), length)
    assert in_steps.steps == cut and in_steps.epochs is None


def test_a_diverged_network_leaves_its_replicate_without_a_matrix(tmp_path: Path) -> None:
    training = training_data()
    wild = recipe(optimiser={**SGD, "learning_rate": 1e30})
    arrays, entries = cross_fit(
        job(recipe=wild), training, noisy(training), checkpoints=tmp_path / "c", log=lambda line: None
    )
    assert [entry["status"] for entry in entries] == ["diverged", "diverged"]
    result = estimated(tmp_path, arrays, entries)
    assert [entry["transition"] for entry in result["replicates"]] == [None, None]
    assert result["replicates"][0]["reason"] == "its warm-up network diverged"


ASKED = flips(4, 0.3, [1, 2, 3, 0])
SIZES = (4000, 2000, 1500, 900)


def simulated() -> tuple[np.ndarray, np.ndarray]:
    """Observed labels and the true posteriors of the noisy label, for classes that are told apart without error."""
    rng = np.random.default_rng(0)
    true = np.repeat(np.arange(4), SIZES)
    return sample_transition(ASKED, true, rng.random(len(true))), ASKED[true]


def estimated(folder: Path, arrays: dict[str, np.ndarray], entries: list[dict[str, Any]], asked: Any = None) -> Any:
    paths = {name: str(folder / name) for name in ("probabilities.npz", "run.json", "audit.json", "anchor.json")}
    write_npz(paths["probabilities.npz"], arrays)
    digest = sha256_file(paths["probabilities.npz"])
    write_json(paths["run.json"], {"replicates": entries, "code": "0", "probabilities_sha256": digest})
    audits = []
    for seed in sorted({entry["noise_seed"] for entry in entries}):
        audits.append(str(folder / f"audit-{seed}.json"))
        write_json(audits[-1], audit(seed, asked))
    inputs = {"probabilities": paths["probabilities.npz"], "run": paths["run.json"], "audits": audits}
    of = EstimateJob(cell="estimates/tiny", block="paired-0", estimator="anchor", options={}, code="0")
    estimate_transition.run(of, inputs, {"estimate": paths["anchor.json"]})
    return read_json(paths["anchor.json"])


def audit(seed: int, asked: Any) -> dict[str, Any]:
    known = None if asked is None else asked.tolist()
    return {"noise_seed": seed, "transition_asked": known, "realised_noise_rate": None, "transition_realised": None}


def test_a_known_matrix_is_found_with_its_error(tmp_path: Path) -> None:
    observed, posteriors = simulated()
    entry = {"noise_seed": 3, "seed": 3, "status": "finished", "reason": None}
    arrays = {"observed": observed[None], "probabilities": posteriors[None].astype(np.float32)}
    found = estimated(tmp_path, arrays, [entry], ASKED)["replicates"][0]
    assert np.allclose(found["transition"], ASKED, atol=1e-6)
    assert found["errors"]["max_total_variation"] < 1e-6
    assert found["errors"]["condition_number"] == pytest.approx(np.linalg.cond(ASKED), rel=1e-5)
    assert found["compared_with"] == "asked"


def test_without_a_true_matrix_there_is_an_estimate_and_no_error(tmp_path: Path) -> None:
    observed, posteriors = simulated()
    entry = {"noise_seed": 0, "seed": 0, "status": "finished", "reason": None}
    arrays = {"observed": observed[None], "probabilities": posteriors[None].astype(np.float32)}
    found = estimated(tmp_path, arrays, [entry])["replicates"][0]
    assert found["errors"] is None and found["compared_with"] is None
    assert np.allclose(np.sum(found["transition"], axis=1), 1)


def test_nothing_of_the_warm_up_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path(".smearlab/checkpoints/estimates/tiny")
    write_json(place / "paired-0" / "fold-0.checkpoint", {})
    write_json(place / "paired-0.checkpoint.lock.guard", {})
    write_json(place / "paired-1.checkpoint", {})
    test_without_a_true_matrix_there_is_an_estimate_and_no_error(tmp_path)
    assert [path.name for path in place.iterdir()] == ["paired-1.checkpoint"]


def method_job(name: str, transition: str | None) -> TrainingJob:
    method = MethodSettings(name, transition=transition)
    return tiny_job(n_classes=4, method=method, replicates=[Replicate(0, 0)])


def written(folder: Path, transition: Any) -> str:
    entry = {"noise_seed": 0, "seed": 0, "transition": transition, "reason": None if transition else "no network"}
    write_json(folder / "anchor.json", {"replicates": [entry]})
    return str(folder / "anchor.json")


def test_a_corrected_loss_is_given_the_estimate_of_its_replicate(tmp_path: Path) -> None:
    path = written(tmp_path, ASKED.tolist())
    found = corrections(method_job("forward", "estimated(anchor)"), [audit(0, None)], [path])
    assert found == Corrections([ASKED.tolist()], [None])


def test_an_estimate_that_cannot_be_inverted_stops_its_replicate_and_not_the_grid(tmp_path: Path) -> None:
    path = written(tmp_path, np.full((4, 4), 0.25).tolist())
    backward = corrections(method_job("backward", "estimated(anchor)"), [audit(0, None)], [path])
    assert backward.transitions == [None]
    assert backward.refusals == ["ill-conditioned estimate (condition number infinite (singular))"]
    forward = corrections(method_job("forward", "estimated(anchor)"), [audit(0, None)], [path])
    assert forward.refusals == [None]


def test_a_replicate_without_an_estimate_is_refused_with_the_reason(tmp_path: Path) -> None:
    found = corrections(method_job("forward", "estimated(anchor)"), [audit(0, None)], [written(tmp_path, None)])
    assert found == Corrections([None], ["no network"])


@pytest.mark.parametrize("spec", ["true", "matched", "perturbed(0.2)", "estimated(anchor)"])
def test_the_tables_say_how_wrong_the_matrix_in_use_is(spec: str) -> None:
    uneven = flips(4, 0.2, [1, 1, 2, 3])
    record = audit(0, uneven) | {"class_counts": [5, 5, 5, 5]}
    facts = transition_facts(method_job("forward", spec), record, {"transition": ASKED.tolist()})
    expected = {
        "true": 0.0,
        "matched": row_errors(np.eye(4) * (1 - 0.05 * 4 / 3) + 0.05 / 3, uneven).mean(),
        "perturbed(0.2)": 0.2,
        "estimated(anchor)": row_errors(ASKED, uneven).mean(),
    }
    assert facts["transition_error"] == pytest.approx(expected[spec], abs=1e-12)
    assert facts["transition_condition"] > 1


def test_a_method_without_a_matrix_has_no_error() -> None:
    facts = transition_facts(method_job("gce", None), audit(0, ASKED), None)
    assert set(facts.values()) == {None}
