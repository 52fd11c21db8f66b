"""The loops do what they say: known answers, the same bytes in any block, and what they refuse."""

import csv
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import tiny_training as tiny
import torch
import torch.nn.functional as F

from smearlab.core.errors import UserError
from smearlab.core.jobs import RecipeSettings, Replicate
from smearlab.store.files import read_json
from smearlab.training.batches import channel_statistics, epoch_draws
from smearlab.training.correction import Corrections
from smearlab.training.lanes import Lane
from smearlab.training.teacher_block import train_teacher_block
from smearlab.training.trainee import Trainee, initial_network, make_problem, snapshot_epochs, within

CPU = torch.device("cpu")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "weights.safetensors")


def history(folder: Path) -> list[dict[str, str]]:
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


def plain_problem(recipe: RecipeSettings) -> tuple[SimpleNamespace, Any]:
    training = tiny.training_data()
    return training, make_problem(training, recipe, tiny.N_CLASSES, CPU)


def test_the_teachers_loop_is_plain_sgd(tmp_path: Path) -> None:
    recipe = tiny.recipe(augmentation={"crop": 0, "flip": False}, loss_scale=1.5, clip_norm=0.7)
    tiny.train(tiny.job(count=1, recipe=recipe), tmp_path)
    training, problem = plain_problem(recipe)
    network = initial_network(recipe.architecture, problem, "teacher", 0)
    sgd = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 9)
    observed = torch.from_numpy(tiny.observed_labels(training, 0))
    run = trainee(problem, recipe, training)
    for epoch in range(3):
        for index in epoch_draws(run.batches, epoch)[:, :, 0]:
            sgd.zero_grad()
            loss = 1.5 * F.cross_entropy(network(problem.train.plain(index)), observed[index])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 0.7)
            sgd.step()
            schedule.step()
    trained = within(weights(tmp_path), "0/last/")
    torch.testing.assert_close(trained, dict(network.state_dict()), rtol=1e-4, atol=1e-6)


def trainee(problem: Any, recipe: RecipeSettings, training: SimpleNamespace, **changes: Any) -> Trainee:
    observed = tiny.observed_labels(training, 0)
    settings = {"role": "teacher", "seeds": Replicate(0, 0), "observed": observed, "taught": observed}
    settings |= {"transition": None, "lane": Lane()}
    return Trainee(problem, recipe, tiny.method(), **(settings | changes))


def test_a_student_with_beta_one_learns_only_from_the_teacher(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "teachers")
    teachers = tmp_path / "teachers"
    for labels in ("none", "noisy", "clean"):
        job = tiny.job("student", beta=1.0, student_labels=labels, method=tiny.method("gce"))
        tiny.train(job, tmp_path / labels, teachers)
    assert tiny.outcome(tmp_path / "none") == tiny.outcome(tmp_path / "noisy")
    assert tiny.outcome(tmp_path / "none") == tiny.outcome(tmp_path / "clean")


def test_a_student_with_beta_zero_is_a_network_on_labels(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "teachers")
    teachers = tmp_path / "teachers"
    job = tiny.job("student", beta=0.0, student_labels="clean")
    tiny.train(job, tmp_path / "student", teachers)
    clean = tiny.train(tiny.job("student", beta=0.0, temperature=5.0, student_labels="clean"), tmp_path / "b", teachers)
    assert tiny.outcome(tmp_path / "student") == tiny.outcome(tmp_path / "b")
    noisy = tiny.train(tiny.job("student", beta=0.0), tmp_path / "c", teachers)
    assert clean.replicates[0].history[-1]["loss"] != noisy.replicates[0].history[-1]["loss"]


def test_the_views_of_the_teacher_agree_where_nothing_is_augmented(tmp_path: Path) -> None:
    recipe = tiny.recipe(augmentation={"crop": 0, "flip": False})
    tiny.train(tiny.job(recipe=recipe), tmp_path / "t")
    for view in ("same", "fixed"):
        job = tiny.job("student", recipe=recipe, teacher_recipe=recipe, view=view)
        tiny.train(job, tmp_path / view, tmp_path / "t")
    same, fixed = weights(tmp_path / "same"), weights(tmp_path / "fixed")
    torch.testing.assert_close(same, fixed, rtol=1e-4, atol=1e-5)


def test_a_student_imitates_its_own_teacher_wherever_it_stands_in_the_block(tmp_path: Path) -> None:
    pairs = [Replicate(0, 0), Replicate(1, 1)]
    tiny.train(tiny.job(replicates=pairs), tmp_path / "teachers")
    tiny.train(tiny.job(replicates=pairs[::-1]), tmp_path / "turned")
    tiny.train(tiny.job("student"), tmp_path / "one", tmp_path / "teachers")
    tiny.train(tiny.job("student"), tmp_path / "two", tmp_path / "turned")
    assert tiny.outcome(tmp_path / "one") == tiny.outcome(tmp_path / "two")
    tiny.train(tiny.job(count=1), tmp_path / "first")
    with pytest.raises(UserError, match="no replicate with noise seed 1"):
        tiny.train(tiny.job("student"), tmp_path / "three", tmp_path / "first")


@pytest.mark.parametrize("role", ["teacher", "student"])
def test_same_bytes_at_another_block_size(role: str, tmp_path: Path) -> None:
    tiny.train(tiny.job(count=3), tmp_path / "teachers")
    teachers = tmp_path / "teachers"
    tiny.train(tiny.job(role, count=3), tmp_path / "block", teachers)
    together, lines = weights(tmp_path / "block"), tiny.outcome(tmp_path / "block")[1].splitlines()
    for k in range(3):
        tiny.train(tiny.job(role, replicates=[Replicate(k, k)]), tmp_path / f"{k}", teachers)
        alone = within(weights(tmp_path / f"{k}"), "0/")
        assert alone
        assert all(torch.equal(tensor, together[f"{k}/{name}"]) for name, tensor in alone.items())
        assert tiny.outcome(tmp_path / f"{k}")[1].splitlines()[1:] == lines[1 + 3 * k : 4 + 3 * k]


def test_methods_of_a_role_share_initialisation_order_and_augmentation_and_roles_do_not() -> None:
    recipe = tiny.recipe()
    training, problem = plain_problem(recipe)
    plain = trainee(problem, recipe, training)
    other = trainee(problem, recipe, training, taught=training.labels, seeds=Replicate(7, 0))
    student = trainee(problem, recipe, training, role="student")
    assert torch.equal(plain.network.head.weight, other.network.head.weight)
    assert torch.equal(epoch_draws(plain.batches, 2), epoch_draws(other.batches, 2))
    assert not torch.equal(plain.network.head.weight, student.network.head.weight)
    assert not torch.equal(epoch_draws(plain.batches, 2), epoch_draws(student.batches, 2))


def test_building_a_network_leaves_the_global_generator_alone() -> None:
    recipe = tiny.recipe()
    training, problem = plain_problem(recipe)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    trainee(problem, recipe, training)
    assert torch.equal(torch.rand(3), expected)


def test_divergence_is_a_result_and_the_others_go_on(tmp_path: Path) -> None:
    steep = tiny.recipe(optimiser=tiny.SGD | {"learning_rate": 1e30})
    tiny.train(tiny.job(recipe=steep), tmp_path / "teachers")
    run = read_json(tmp_path / "teachers" / "run.json")
    assert {r["status"] for r in run["replicates"]} == {"diverged"}
    assert "not finite in epoch" in run["replicates"][0]["reason"]
    assert not weights(tmp_path / "teachers")
    job = tiny.job("student", teacher_recipe=steep)
    tiny.train(job, tmp_path / "students", tmp_path / "teachers")
    entry = read_json(tmp_path / "students" / "run.json")["replicates"][0]
    assert (entry["status"], entry["reason"], entry["epochs"]) == ("diverged", "its teacher diverged", 0)


def test_one_diverged_replicate_leaves_the_next_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train(tiny.job(), tmp_path / "well")
    divergence = Trainee._divergence
    monkeypatch.setattr(Trainee, "_divergence", lambda run: "told so" if run.seeds.seed == 0 else divergence(run))
    tiny.train(tiny.job(), tmp_path / "half")
    run = read_json(tmp_path / "half" / "run.json")
    assert [r["status"] for r in run["replicates"]] == ["diverged", "finished"]
    well = within(weights(tmp_path / "well"), "1/")
    half = weights(tmp_path / "half")
    assert set(half) == {f"1/{name}" for name in well}
    assert all(torch.equal(half[f"1/{name}"], tensor) for name, tensor in well.items())


def test_history_is_what_the_kept_weights_say(tmp_path: Path) -> None:
    recipe = tiny.recipe(snapshots=3)
    tiny.train(tiny.job(count=1, recipe=recipe), tmp_path)
    training, problem = plain_problem(recipe)
    network = initial_network(recipe.architecture, problem, "teacher", 0).eval()
    observed, wrong = tiny.observed_labels(training, 0), None
    for line in history(tmp_path):
        network.load_state_dict(within(weights(tmp_path), f"0/epoch-{line['epoch']}/"))
        with torch.no_grad():
            predicted = network(problem.train.plain(slice(None))).argmax(1).numpy()
            valid = network(problem.validation.plain(slice(None))).argmax(1).numpy()
        given, clean = observed[training.part == 0], training.labels[training.part == 0]
        wrong = given != clean
        assert float(line["train_accuracy_noisy"]) == (predicted == given).mean()
        assert float(line["memorised"]) == (predicted == given)[wrong].mean()
        assert float(line["recovered"]) == (predicted == clean)[wrong].mean()
        assert float(line["validation_accuracy_noisy"]) == (valid == observed[training.part == 1]).mean()
        assert float(line["validation_accuracy_clean"]) == (valid == training.labels[training.part == 1]).mean()
    assert wrong is not None
    assert wrong.any()


def test_selected_is_the_first_best_epoch_on_noisy_validation(tmp_path: Path) -> None:
    recipe = tiny.recipe(epochs=6, snapshots=6)
    tiny.train(tiny.job(count=1, recipe=recipe), tmp_path)
    scores = [float(line["validation_accuracy_noisy"]) for line in history(tmp_path)]
    selected = read_json(tmp_path / "run.json")["replicates"][0]["selected_epoch"]
    assert selected == 1 + scores.index(max(scores))
    kept = weights(tmp_path)
    same = within(kept, f"0/epoch-{selected}/")
    assert all(torch.equal(kept[f"0/selected/{name}"], tensor) for name, tensor in same.items())
    assert torch.equal(kept["0/last/head.weight"], kept["0/epoch-6/head.weight"])


def test_without_validation_part_or_clean_labels_nothing_is_invented(tmp_path: Path) -> None:
    training = tiny.training_data()
    training.part[:] = 0
    training.labels[:] = -1
    observed = [np.arange(60) % 3]
    result = train_teacher_block(
        tiny.job(count=1), Corrections(), training, observed, checkpoint=tmp_path / "c", log=lambda line: None
    )
    last = result.replicates[0].history[-1]
    assert last["train_accuracy_noisy"] is not None
    for column in ("validation_accuracy_noisy", "validation_accuracy_clean", "memorised", "recovered"):
        assert last[column] is None
    assert result.replicates[0].entry["selected_epoch"] == 3


def test_a_recipe_in_steps_ends_inside_an_epoch(tmp_path: Path) -> None:
    result = tiny.train(tiny.job(count=1, recipe=tiny.recipe(epochs=None, steps=7, snapshots=0)), tmp_path)
    assert [line["epoch"] for line in result.replicates[0].history] == [1, 2, 3]
    tiny.train(tiny.job(count=1, recipe=tiny.recipe(epochs=None, steps=9, snapshots=0)), tmp_path / "full")
    tiny.train(tiny.job(count=1, recipe=tiny.recipe(snapshots=0)), tmp_path / "epochs")
    assert tiny.outcome(tmp_path / "full")[:2] == tiny.outcome(tmp_path / "epochs")[:2]  # weights and history


def test_warm_up_is_plain_cross_entropy(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "plain")
    tiny.train(tiny.job(method=tiny.method("label_smoothing", alpha=0.5, warm_up=1.0)), tmp_path / "warm")
    for folder in ("plain", "warm"):
        assert (tmp_path / folder / "history.csv").exists()
    plain, warm = weights(tmp_path / "plain"), weights(tmp_path / "warm")
    assert all(torch.equal(plain[name], warm[name]) for name in plain)


def test_a_method_that_changes_the_recipe(tmp_path: Path) -> None:
    heavy = tiny.recipe(optimiser=tiny.SGD | {"weight_decay": 0.05})
    tiny.train(tiny.job(recipe=heavy), tmp_path / "recipe")
    tiny.train(tiny.job(method=tiny.method("weight_decay", options={"decay": 0.05})), tmp_path / "method")
    assert tiny.outcome(tmp_path / "recipe")[:2] == tiny.outcome(tmp_path / "method")[:2]  # weights and history


@pytest.mark.parametrize("name", ["forward", "backward"])
def test_a_correction_with_the_identity_is_cross_entropy(name: str, tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "plain")
    identity = Corrections([np.eye(3).tolist()] * 2, [None, None])
    tiny.train(tiny.job(method=tiny.method(name)), tmp_path / name, corrections=identity)
    torch.testing.assert_close(weights(tmp_path / "plain"), weights(tmp_path / name), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "transitions", "message"),
    [
        ({"method": tiny.method("forward")}, None, "needs a transition matrix"),
        ({"method": tiny.method("forward")}, [[[1.0]], [[1.0]]], "not 3×3"),
        ({"recipe": tiny.recipe(device="cuda")}, None, "finds no CUDA device"),
        ({"recipe": tiny.recipe(schedule={"name": "sine", "warmup": 0.0})}, None, "unknown schedule 'sine'"),
        ({"recipe": tiny.recipe(optimiser={**tiny.SGD, "name": "sdg"})}, None, "unknown optimiser 'sdg'.* 'sgd'"),
        ({"n_classes": 2}, None, "must lie in 0..1"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(
    change: dict[str, Any], transitions: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=message) as refused:
        tiny.train(tiny.job(**change), tmp_path, corrections=Corrections(transitions))
    assert "\n" not in str(refused.value)


def test_a_student_without_labels_must_not_weigh_them(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "teachers")
    with pytest.raises(UserError, match="needs beta 1"):
        tiny.train(tiny.job("student", student_labels="none"), tmp_path / "students", tmp_path / "teachers")


def test_exchanged_teacher_weights_are_refused(tmp_path: Path) -> None:
    tiny.train(tiny.job(), tmp_path / "teachers")
    path = tmp_path / "teachers" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged or replaced"):
        tiny.train(tiny.job("student"), tmp_path / "students", tmp_path / "teachers")


def test_statistics_are_those_of_the_training_part_only() -> None:
    training = tiny.training_data(channels=3)
    training.images[training.part == 1] = 255
    problem = make_problem(training, tiny.recipe(), 3, CPU)
    mean, deviation = channel_statistics(training.images[training.part == 0])
    train = training.images[training.part == 0].reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(mean, train.mean(0), rtol=1e-12)
    np.testing.assert_allclose(deviation, train.std(0), rtol=1e-12)
    batch = problem.train.plain(slice(None))
    torch.testing.assert_close(batch.mean((0, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(batch.var((0, 2, 3), correction=0), torch.ones(3), rtol=1e-4, atol=0)


def test_a_constant_channel_is_not_divided_by_zero() -> None:
    assert channel_statistics(np.full((2, 4, 4, 1), 9, dtype=np.uint8))[1].tolist() == [1.0]


@pytest.mark.parametrize(
    ("epochs", "wanted", "expected"),
    [(10, 0, []), (10, 1, [10]), (10, 5, [2, 4, 6, 8, 10]), (3, 10, [1, 2, 3]), (7, 2, [4, 7])],
)
def test_snapshots_are_evenly_spaced_and_end_at_the_end(epochs: int, wanted: int, expected: list[int]) -> None:
    assert snapshot_epochs(epochs, wanted) == expected


def test_progress_lines_say_where_a_run_is_and_what_is_left(tmp_path: Path) -> None:
    lines: list[str] = []
    tiny.train(tiny.job(), tmp_path, log=lines.append)
    first = next(line for line in lines if line.startswith("replicate 1/2"))
    assert "(noise seed 0, seed 0): epoch 1/3, loss " in first
    assert first.endswith(" left")
    assert "\n" not in "".join(lines)


def test_training_loads_no_compiler_and_no_tables() -> None:
    code = (
        "import sys, tempfile, pathlib, tiny_training as tiny\n"
        "tiny.train(tiny.job(), pathlib.Path(tempfile.mkdtemp()))\n"
        "unwanted = {'torch._dynamo', 'pandas', 'scipy', 'sklearn', 'pydantic', 'matplotlib', 'snakemake'}\n"
        "heavy = unwanted & set(sys.modules)\n"
        "ours = {n for n in sys.modules if n.startswith('smearlab') and n.split('.')[1:2] != ['training']}\n"
        "assert not heavy, heavy\n"
        "assert 'smearlab.core.predictions' not in ours, ours\n"
    )
    here = Path(__file__)
    environment = {"PYTHONPATH": f"{here.parents[2]}:{here.parent}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
