"""Evaluation of stored networks: against a plain forward pass, and what it says where something is missing."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny_training as tiny
import torch
from safetensors.torch import save_file

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import DistillationJob
from smearlab.evaluation import networks as stored_networks
from smearlab.evaluation.block import Trained, evaluate_block
from smearlab.networks import cnn
from smearlab.store.dataset import HeldOutData, TrainingData

N, N_TEST, L, SIZE = 90, 60, 4, 8
RECIPE = tiny.recipe(precision="bf16")


def job(**changes) -> DistillationJob:
    return tiny.job("student", **{"n_classes": L, "recipe": RECIPE, "teacher_recipe": RECIPE} | changes)


def make_data(labels_known=True, test_noisy=None, n_validation=30):
    rng = np.random.default_rng(0)
    images, test_images = (rng.integers(256, size=(n, SIZE, SIZE, 1), dtype=np.uint8) for n in (N, N_TEST))
    labels, test_labels = (rng.integers(L, size=n) if labels_known else np.full(n, -1) for n in (N, N_TEST))
    part = rng.permutation(np.arange(N) < n_validation).astype(np.uint8)
    training = TrainingData(images, labels, None, part, np.arange(N), {})
    return training, HeldOutData(test_images, test_labels, test_noisy, np.arange(N_TEST), {})


def network(seed, scale=1.0):
    torch.manual_seed(seed)
    net = cnn.build(L, 1, SIZE, width=2)
    with torch.no_grad():
        net.head.weight.mul_(scale)
        net.body[1].running_mean.add_(0.1 * seed)  # so that eval mode differs from training mode
    return net


def constant(k):
    """A network that predicts class k, whatever it sees."""
    net = network(0)
    with torch.no_grad():
        net.head.weight.zero_()
        net.head.bias.copy_(torch.eye(L)[k])
    return net


def store(path, networks):
    """Write {(replicate, checkpoint): network} as the training does."""
    tensors = {
        f"{i}/{checkpoint}/{name}": tensor.contiguous().clone()
        for (i, checkpoint), net in networks.items()
        for name, tensor in net.state_dict().items()
    }
    save_file(tensors, path)
    return path


def trained(weights, *statuses):
    return Trained(weights, [{"noise_seed": i, "seed": i, "status": s} for i, s in enumerate(statuses)])


def plain_logits(net, images, train_images):
    """The logits of a network on images scaled and standardised by hand, one image at a time."""
    mean, std = train_images.mean(dtype=np.float64), train_images.astype(np.float64).std()
    pixels = torch.tensor((images - mean) / std, dtype=torch.float32).permute(0, 3, 1, 2)
    with torch.no_grad():
        return torch.cat([net.eval()(image[None]) for image in pixels]).numpy()


@pytest.fixture
def data():
    return make_data()


@pytest.fixture
def observed(data):
    labels = data[0].labels.copy()
    labels[::3] = (labels[::3] + 1) % L
    return labels


def evaluated(
    tmp_path,
    data,
    observed,
    networks,
    statuses=("finished",),
    job=job(),  # noqa: B008
    teachers=None,
    transition=None,
):
    own = trained(store(tmp_path / "weights.safetensors", networks), *statuses)
    count = len(statuses)
    measured, examples = evaluate_block(job, *data, [observed] * count, [transition] * count, own, teachers)
    json.dumps(measured, allow_nan=False)
    return measured["replicates"], examples


def test_metrics_and_examples_are_those_of_a_plain_forward_pass(tmp_path, data, observed):
    training, test = data
    net = network(1, scale=20)
    (replicate,), examples = evaluated(tmp_path, data, observed, {(0, "last"): net})
    train_images = training.images[training.part == 0]
    logits = {
        "train": plain_logits(net, train_images, train_images),
        "validation": plain_logits(net, training.images[training.part == 1], train_images),
        "test": plain_logits(net, test.images, train_images),
    }
    stated = {
        "train": observed[training.part == 0],
        "validation": observed[training.part == 1],
        "test": test.labels,
    }
    for part, values in logits.items():
        assert (examples[f"{part}_predicted"][0] == values.argmax(1)).all()
        rows = np.arange(len(values))
        others = values.copy()
        others[rows, stated[part]] = -np.inf
        margins = values[rows, stated[part]] - others.max(1)
        assert examples[f"{part}_margin"][0] == pytest.approx(margins, rel=2e-3, abs=2e-3)
    hits = {part: values.argmax(1) == stated[part] for part, values in logits.items()}
    metrics = replicate["metrics"]
    assert metrics["test_accuracy"] == metrics["test_accuracy_last"] == pytest.approx(hits["test"].mean())
    assert metrics["train_accuracy_noisy"] == pytest.approx(hits["train"].mean())
    assert metrics["validation_accuracy_noisy"] == pytest.approx(hits["validation"].mean())
    wrong = (observed != training.labels)[training.part == 0]
    assert metrics["memorised"] == pytest.approx(hits["train"][wrong].mean())


def test_weight_norms_are_of_the_trained_parameters(tmp_path, data, observed):
    net = network(1)
    (replicate,), _ = evaluated(tmp_path, data, observed, {(0, "last"): net})
    squares = [np.square(p.detach().double().numpy()).sum() for _, p in net.named_parameters()]
    assert replicate["metrics"]["weight_norm"] == pytest.approx(np.sqrt(sum(squares)))
    head = np.linalg.norm(net.head.weight.detach().double().numpy())
    assert replicate["metrics"]["head_weight_norm"] == pytest.approx(head)
    assert head < replicate["metrics"]["weight_norm"]


def test_every_registered_metric_takes_part(tmp_path, data, observed):
    (replicate,), _ = evaluated(tmp_path, data, observed, {(0, "last"): network(1)})
    for name in registry.names("metrics"):
        assert registry.load("metrics", name).__name__ == f"smearlab.metrics.{name}"
    assert {"test_nll", "test_brier", "test_ece", "omega", "fitted_temperature"} <= set(replicate["metrics"])
    assert {"reliability", "margins", "confidence", "projection"} <= set(replicate["curves"])


def test_the_temperature_is_fitted_through_the_matrix_that_is_given(tmp_path, data, observed):
    measured = [
        evaluated(tmp_path, data, observed, {(0, "last"): network(1)}, transition=transition)[0][0]["metrics"]
        for transition in (None, np.eye(L), 0.6 * np.eye(L) + 0.1)
    ]
    unknown, plain, through = [m["fitted_temperature_true_t"] for m in measured]
    assert unknown is None
    assert plain == pytest.approx(measured[0]["fitted_temperature"], rel=1e-4)
    assert through != pytest.approx(plain, rel=0.05)


def test_two_metrics_of_one_name_are_refused(monkeypatch, tmp_path, data, observed):
    monkeypatch.setattr(registry, "names", lambda kind: ("nll", "nll"))
    with pytest.raises(UserError, match=r"metric nll: 'test_nll'"):
        evaluated(tmp_path, data, observed, {(0, "last"): network(1)})


def test_the_reported_checkpoint_is_the_recipes(tmp_path, data, observed):
    shares = np.bincount(data[1].labels, minlength=L) / N_TEST
    classes = {"last": int(shares.argmin()), "selected": int(shares.argmax())}
    classes["label_wave"] = int(np.argsort(shares)[L // 2])
    networks = {(0, name): constant(k) for name, k in classes.items()}
    for name, k in classes.items():
        reporting = job(recipe=replace(RECIPE, checkpoint=name))
        (replicate,), examples = evaluated(tmp_path, data, observed, networks, job=reporting)
        assert replicate["metrics"]["test_accuracy"] == shares[k]
        assert replicate["metrics"]["test_accuracy_last"] == shares.min()
        assert replicate["metrics"]["test_accuracy_selected"] == shares.max()
        assert replicate["metrics"]["test_accuracy_label_wave"] == shares[classes["label_wave"]]
        assert (examples["test_predicted"] == k).all()


def test_best_on_test_is_over_the_snapshots_and_changes_nothing_reported(tmp_path, data, observed):
    shares = np.bincount(data[1].labels, minlength=L) / N_TEST
    rare, common = int(shares.argmin()), int(shares.argmax())
    stored = {(0, "last"): constant(rare)}
    (without,), _ = evaluated(tmp_path, data, observed, stored)
    snapshots = {(0, f"epoch-{epoch}"): constant(k) for epoch, k in ((1, rare), (2, common), (10, common))}
    (replicate,), _ = evaluated(tmp_path, data, observed, {**stored, **snapshots})
    diagnosis = ("best_on_test_accuracy", "best_on_test_epoch", "n_snapshots")
    assert [replicate["metrics"][k] for k in diagnosis] == [shares[common], 2, 3]
    assert [without["metrics"][k] for k in diagnosis] == [None, None, 0]
    reported = {name for name in replicate["metrics"] if not name.startswith("best_on_test_")} - set(diagnosis)
    for name in reported:
        assert replicate["metrics"][name] == without["metrics"][name]
    assert replicate["metrics"]["test_accuracy"] == shares[rare]


def test_a_diverged_replicate_has_null_metrics_under_the_same_names(tmp_path, data, observed):
    replicates, examples = evaluated(
        tmp_path, data, observed, {(1, "last"): network(1)}, statuses=("diverged", "finished")
    )
    assert [r["status"] for r in replicates] == ["diverged", "finished"]
    assert list(replicates[0]["metrics"]) == list(replicates[1]["metrics"])
    assert set(replicates[0]["metrics"].values()) == {None} and replicates[0]["curves"] == {}
    assert (examples["test_predicted"][0] == L).all() and (examples["test_predicted"][1] < L).all()
    assert np.isnan(examples["train_margin"][0]).all() and np.isfinite(examples["train_margin"][1]).all()


def test_a_network_whose_outputs_are_not_finite_counts_as_diverged(tmp_path, data, observed):
    net = network(1)
    with torch.no_grad():
        net.head.bias.fill_(torch.inf)
    (replicate,), _ = evaluated(tmp_path, data, observed, {(0, "last"): net})
    assert replicate["status"] == "diverged" and replicate["metrics"] == {}


def test_a_block_that_diverged_altogether_is_still_a_result(tmp_path, data, observed):
    replicates, examples = evaluated(tmp_path, data, observed, {}, statuses=("diverged", "diverged"))
    assert [r["metrics"] for r in replicates] == [{}, {}]
    assert examples["validation_predicted"].shape == (2, 30)


def test_examples_are_small_and_name_their_replicates(tmp_path, data, observed):
    nets = {(0, "last"): network(1), (1, "last"): network(2, scale=1e7)}
    _, examples = evaluated(tmp_path, data, observed, nets, statuses=("finished", "finished"))
    assert examples["seed"].tolist() == examples["noise_seed"].tolist() == [0, 1]
    for part, n in (("train", 60), ("validation", 30), ("test", N_TEST)):
        assert examples[f"{part}_predicted"].dtype == np.uint8
        assert examples[f"{part}_margin"].dtype == np.float16
        assert examples[f"{part}_predicted"].shape == examples[f"{part}_margin"].shape == (2, n)
        assert np.isfinite(examples[f"{part}_margin"]).all()


def test_without_clean_labels_only_the_noisy_accuracies_are_known(tmp_path):
    rng = np.random.default_rng(1)
    data = make_data(labels_known=False, test_noisy=rng.integers(L, size=N_TEST))
    (replicate,), examples = evaluated(tmp_path, data, rng.integers(L, size=N), {(0, "last"): network(1)})
    metrics = replicate["metrics"]
    for name in ("test_accuracy", "test_accuracy_last", "memorised", "recovered", "test_ece", "feature_tightness"):
        assert metrics[name] is None
    for name in ("test_accuracy_noisy", "train_accuracy_noisy", "heldout_accuracy_noisy", "fitted_temperature"):
        assert metrics[name] is not None
    assert np.isnan(examples["test_margin"]).all() and np.isfinite(examples["train_margin"]).all()


def test_an_empty_validation_part_gives_null(tmp_path, observed):
    (replicate,), examples = evaluated(tmp_path, make_data(n_validation=0), observed, {(0, "last"): network(1)})
    assert replicate["metrics"]["validation_accuracy_noisy"] is None
    assert replicate["metrics"]["fitted_temperature"] is None
    assert replicate["metrics"]["test_accuracy"] is not None
    assert examples["validation_predicted"].shape == (1, 0)


def test_weights_that_are_not_there_are_named(tmp_path, data, observed):
    with pytest.raises(UserError, match=r"weights.safetensors: no weights of network 0 at checkpoint 'last'"):
        evaluated(tmp_path, data, observed, {(0, "epoch-1"): network(1)})


def test_a_student_equal_to_its_teacher_memorises_what_it_memorised(tmp_path, data, observed):
    net = network(1, 20)
    teacher = store(tmp_path / "teacher.safetensors", {(0, "last"): net})
    beside = trained(teacher, "finished")
    (replicate,), _ = evaluated(tmp_path, data, observed, {(0, "last"): net}, teachers=beside)
    metrics, training = replicate["metrics"], data[0]
    n_wrong = int((observed != training.labels)[training.part == 0].sum())
    assert metrics["student_teacher_agreement"] == 1.0
    assert metrics["teacher_only_memorised"] == metrics["student_only_memorised"] == 0
    assert metrics["both_memorised"] == round(metrics["memorised"] * n_wrong)
    assert metrics["both_memorised"] + metrics["neither_memorised"] == n_wrong


def test_a_student_is_set_beside_its_own_teacher_at_the_reported_checkpoint(tmp_path, data, observed):
    student, (first, second) = 3, (1, 2)
    students = {(i, "last"): constant(student) for i in range(2)}
    taught = {(0, "selected"): constant(first), (1, "selected"): constant(second)}
    taught |= {(i, "last"): constant(student) for i in range(2)}
    teachers = store(tmp_path / "teachers.safetensors", taught)
    both = ("finished", "finished")
    selecting = job(teacher_recipe=replace(RECIPE, checkpoint="selected"))
    replicates, _ = evaluated(tmp_path, data, observed, students, both, selecting, trained(teachers, *both))
    train = data[0].part == 0
    counts = np.bincount(observed[train & (observed != data[0].labels)], minlength=L)
    assert len(set(counts[1:])) == 3
    for replicate, k in zip(replicates, (first, second), strict=True):
        metrics = replicate["metrics"]
        assert metrics["student_teacher_agreement"] == 0
        assert metrics["both_memorised"] == 0
        assert metrics["student_only_memorised"] == counts[student]
        assert metrics["teacher_only_memorised"] == counts[k]
        assert metrics["neither_memorised"] == counts.sum() - counts[student] - counts[k]


def test_a_student_of_a_diverged_teacher_has_no_comparison(tmp_path, data, observed):
    empty = store(tmp_path / "teacher.safetensors", {})
    beside = trained(empty, "diverged")
    (replicate,), _ = evaluated(tmp_path, data, observed, {(0, "last"): network(1)}, teachers=beside)
    assert replicate["metrics"]["student_teacher_agreement"] is None
    assert replicate["metrics"]["memorisation_odds_ratio"] is None
    assert replicate["metrics"]["test_accuracy"] is not None


def test_evaluating_twice_gives_the_same_bytes_and_leaves_random_numbers_alone(tmp_path, data, observed):
    networks = {(0, "last"): network(1, 20)}
    before = torch.get_rng_state()
    first, examples = evaluated(tmp_path, data, observed, networks)
    assert torch.equal(torch.get_rng_state(), before)
    second, again = evaluated(tmp_path, data, observed, networks)
    assert json.dumps(first) == json.dumps(second)
    assert all(examples[key].tobytes() == again[key].tobytes() for key in examples)


def test_the_batches_of_evaluation_do_not_show(monkeypatch, tmp_path, data, observed):
    networks = {(0, "last"): network(1, 20)}
    (whole,), examples = evaluated(tmp_path, data, observed, networks)
    monkeypatch.setattr(stored_networks, "PIXELS_PER_BATCH", 7 * SIZE * SIZE)
    (parts,), in_parts = evaluated(tmp_path, data, observed, networks)
    assert (in_parts["train_predicted"] == examples["train_predicted"]).all()
    assert parts["metrics"]["test_nll"] == pytest.approx(whole["metrics"]["test_nll"], rel=1e-5)
