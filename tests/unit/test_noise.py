"""Noisy labels: the shared sampler, the audit record, and labels that are refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smearlab.core.errors import UserError
from smearlab.core.jobs import LabelsJob
from smearlab.core.transition import symmetric
from smearlab.noises import _draw as noise
from smearlab.noises._context import NoiseContext, Observed
from smearlab.noises._sampler import sample_rows, sample_transition
from smearlab.stages import make_labels
from smearlab.store import labels as observed_labels
from smearlab.store.dataset import Canonical, HeldOutData, TrainingData, write_dataset
from smearlab.store.files import sha256_array, write_json


def make_context(n=600, n_classes=5, seed=0, **changes):
    rng = np.random.default_rng(seed)
    values = {
        "dataset_kind": "arrays",
        "n_classes": n_classes,
        "class_names": [str(i) for i in range(n_classes)],
        "images": rng.integers(0, 256, (n, 4, 4, 1), dtype=np.uint8),
        "labels": rng.integers(0, n_classes, n),
        "noisy_labels": None,
        "part": (np.arange(n) % 5 == 0).astype(np.uint8),
        "source_index": np.arange(n),
    }
    return NoiseContext(**{**values, **changes})


def manifest_of(context):
    hashes = {name: sha256_array(getattr(context, name)) for name in ("images", "labels")}
    return {"sha256": hashes, "n": len(context.labels)}


def record_of(context, observed, kind="symmetric", rate=0.3):
    return noise.audit(
        kind,
        context,
        observed,
        rate=rate,
        noise_seed=0,
        options={},
        dataset="toy-0",
        manifest=manifest_of(context),
    )


def draw(context, kind="symmetric", rate=0.3, noise_seed=0, **options):
    return noise.draw(kind, context, rate=rate, noise_seed=noise_seed, options=options)


def test_sampler_is_the_inverse_distribution():
    rows = np.array([[0.2, 0.3, 0.5]] * 4)
    assert sample_rows(rows, np.array([0.0, 0.19, 0.2, 0.99])).tolist() == [0, 0, 1, 2]


@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_sampler_never_draws_a_class_of_probability_zero(n_classes, seed):
    rng = np.random.default_rng(seed)
    rows = rng.random((50, n_classes)) * (rng.random((50, n_classes)) < 0.5)
    rows[:, rng.integers(n_classes)] += 0.1
    rows /= rows.sum(axis=1, keepdims=True)
    edges = np.where(rng.random(50) < 0.5, 0.0, np.nextafter(1.0, 0.0))
    for uniforms in (rng.random(50), edges):
        drawn = sample_rows(rows, uniforms)
        assert (rows[np.arange(50), drawn] > 0).all()


def test_sampler_is_independent_of_the_order_of_access():
    rng = np.random.default_rng(1)
    labels, uniforms = rng.integers(0, 4, 200), rng.random(200)
    order = rng.permutation(200)
    whole = sample_transition(symmetric(4, 0.4), labels, uniforms)
    assert (sample_transition(symmetric(4, 0.4), labels[order], uniforms[order]) == whole[order]).all()
    assert (sample_transition(symmetric(4, 0.4), labels[:7], uniforms[:7]) == whole[:7]).all()


def test_same_seed_same_labels_and_other_seed_others():
    context = make_context()
    assert (draw(context).labels == draw(context).labels).all()
    assert (draw(context).labels != draw(context, noise_seed=1).labels).any()


def test_symmetric_labels_of_a_seed_never_change():
    """A known answer: labels already published stay reproducible, or GENERATOR_VERSION is raised."""
    labels = draw(make_context(n=20, labels=np.arange(20) % 5), noise_seed=7, rate=0.5).labels
    assert labels.tolist() == [3, 1, 4, 2, 0, 0, 4, 3, 1, 1, 4, 1, 2, 1, 4, 0, 1, 0, 3, 4]


@settings(max_examples=25)
@given(st.sampled_from(["symmetric", "uniform_redraw"]), st.floats(0, 0.7), st.integers(0, 1000))
def test_realised_rate_lies_in_the_binomial_band_of_the_asked_one(kind, rate, seed):
    context = make_context(n=4000)
    observed = draw(context, kind=kind, rate=rate, noise_seed=seed)
    wrong = rate if kind == "symmetric" else rate * 4 / 5
    band = 6 * np.sqrt(max(wrong * (1 - wrong), 1e-9) / 4000)
    assert abs((observed.labels != context.labels).mean() - wrong) <= band
    assert np.allclose(observed.transition.sum(axis=1), 1)


def test_symmetric_spreads_wrong_labels_evenly_over_the_other_classes():
    context = make_context(n=40_000, labels=np.zeros(40_000, dtype=np.int64))
    found = np.bincount(draw(context, rate=0.4).labels, minlength=5) / 40_000
    assert np.abs(found - [0.6, 0.1, 0.1, 0.1, 0.1]).max() < 0.01


def test_rate_zero_changes_no_label():
    context = make_context()
    for kind in ("symmetric", "uniform_redraw"):
        assert (draw(context, kind=kind, rate=0.0).labels == context.labels).all()


@pytest.mark.parametrize("rate", [-0.1, 0.8, 1.0, float("nan"), None])
def test_a_rate_outside_the_range_of_its_kind_and_classes_is_refused(rate):
    with pytest.raises(UserError, match=r"5 classes: rate .* below 0.8"):
        draw(make_context(), rate=rate)


def test_a_rate_for_a_noise_without_one_is_refused():
    with pytest.raises(UserError, match="takes no rate"):
        draw(make_context(noisy_labels=np.zeros(600, dtype=np.int64)), kind="labels", rate=0.1)


def test_drawing_without_clean_labels_is_refused():
    labels = np.arange(600) % 5
    labels[3] = -1
    with pytest.raises(UserError, match=r"needs the clean labels.* 1 examples"):
        draw(make_context(labels=labels))


def test_own_noisy_labels_are_returned_and_their_absence_is_refused():
    own = np.arange(600) % 5
    observed = draw(make_context(noisy_labels=own), kind="labels", rate=None)
    assert (observed.labels == own).all()
    assert observed.transition is None
    with pytest.raises(UserError, match="no noisy labels"):
        draw(make_context(), kind="labels", rate=None)


def test_what_draws_and_what_has_a_rate():
    assert noise.draws("symmetric", 0.2)
    assert not noise.draws("symmetric", 0.0)
    assert not noise.draws("labels", None)
    assert noise.is_rated("symmetric", {})
    assert not noise.is_rated("labels", {})


def test_audit_counts_the_training_part_only():
    labels = np.array([0, 0, 0, 1, 1, 0, 1])
    observed = Observed(np.array([0, 1, 0, 1, 0, 1, 0]), symmetric(3, 0.3))
    part = np.array([0, 0, 0, 0, 0, 1, 1], dtype=np.uint8)
    context = make_context(n=7, n_classes=3, labels=labels, part=part)
    record = record_of(context, observed)
    assert record["realised_noise_rate"] == pytest.approx(2 / 5)
    assert record["realised_noise_rate_validation"] == 1.0
    assert record["n_wrong"] == 2
    assert record["class_counts"] == [3, 2, 0]
    assert record["per_class_noise_rate"] == [pytest.approx(1 / 3), 0.5, None]
    assert record["transition_realised"][2] == [None, None, None]
    assert record["transition_asked"][0] == [0.7, 0.15, 0.15]
    assert record["generator"]["numpy"] == np.__version__
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_audit_without_clean_labels_has_no_rate():
    context = make_context(labels=np.full(600, -1), noisy_labels=np.zeros(600, dtype=np.int64))
    record = record_of(context, draw(context, kind="labels", rate=None), kind="labels", rate=None)
    assert record["realised_noise_rate"] is None
    assert record["per_class_noise_rate"] == [None] * 5
    assert observed_labels.true_transition(record) is None
    assert observed_labels.matched_transition(record) is None


def test_true_transition_is_the_asked_one_or_else_the_realised_one():
    context = make_context()
    asked = record_of(context, draw(context))
    assert np.allclose(observed_labels.true_transition(asked), symmetric(5, 0.3))
    assert np.allclose(observed_labels.matched_transition(asked), symmetric(5, 0.3))
    own = (context.labels + (np.arange(600) % 3 == 0)) % 5
    given_labels = record_of(context, Observed(own), kind="labels", rate=None)
    assert np.allclose(observed_labels.true_transition(given_labels), given_labels["transition_realised"])
    rate = given_labels["realised_noise_rate"]
    assert np.allclose(observed_labels.matched_transition(given_labels), symmetric(5, rate))


def test_matched_rate_of_an_uneven_noise_weighs_classes_by_their_share_of_the_training_part():
    context = make_context(n_classes=2, labels=(np.arange(600) % 4 == 0).astype(np.int64))
    record = record_of(context, draw(context, kind="one_sided", rate=0.4), kind="one_sided", rate=0.4)
    share = (context.labels[context.part == 0] == 1).mean()
    assert np.allclose(observed_labels.matched_transition(record), symmetric(2, 0.4 * share))


@pytest.fixture
def files(tmp_path):
    context = make_context()
    observed = draw(context)
    noise.write_labels(tmp_path / "labels.npz", tmp_path / "audit.json", observed, record_of(context, observed))
    write_json(tmp_path / "training.json", manifest_of(context))
    return tmp_path, context, observed


def read(folder):
    return observed_labels.read_labels(folder / "labels.npz", folder / "audit.json", folder / "training.json")


def test_labels_are_read_back_as_written(files):
    folder, _, observed = files
    labels, record = read(folder)
    assert (labels == observed.labels).all()
    assert record["labels_sha256"] == sha256_array(labels)


def test_labels_that_were_changed_are_refused(files):
    folder, _, observed = files
    changed = observed.labels.copy()
    changed[0] = (changed[0] + 1) % 5
    np.savez(folder / "labels.npz", observed=changed)
    with pytest.raises(UserError, match=r"not those of .*audit\.json"):
        read(folder)


def test_labels_of_another_data_set_are_refused(files):
    folder, context, _ = files
    write_json(folder / "training.json", manifest_of(make_context(seed=1, labels=context.labels)))
    with pytest.raises(UserError, match="another data set"):
        read(folder)


def test_labels_of_another_length_are_refused(files):
    folder, context, _ = files
    write_json(folder / "training.json", {**manifest_of(context), "n": 599})
    with pytest.raises(UserError, match="600 labels for 599 examples"):
        read(folder)


@pytest.mark.parametrize("content", [b"", b"not a zip file", b"PK\x03\x04 torn"])
def test_a_torn_labels_file_is_refused_in_one_line(files, content):
    folder, _, _ = files
    (folder / "labels.npz").write_bytes(content)
    with pytest.raises(UserError, match=r"labels\.npz: "):
        read(folder)


def test_labels_made_from_a_data_set_on_disk_are_read_back_with_it(tmp_path):
    context = make_context()
    data = TrainingData(
        images=context.images,
        labels=context.labels,
        noisy_labels=None,
        part=context.part,
        source_index=context.source_index,
        meta={"n": 600, "n_classes": 5, "class_names": context.class_names, "shape": [4, 4, 1], "notes": []},
    )
    test = HeldOutData(context.images, context.labels, None, context.source_index, data.meta)
    write_dataset(Canonical(data, test), tmp_path)
    asked = {
        "dataset": "toy-01234567",
        "dataset_kind": "arrays",
        "kind": "symmetric",
        "contents": {"kind": "symmetric"},
    }
    folder = tmp_path / "flips-01234567" / "rate=0.3" / "seed=2"
    config = {"noises": {"flips": {"kind": "symmetric", "rates": [0.3]}}}
    make_labels.run(
        LabelsJob(**asked, rate=0.3, noise_seed=2, code="0"),
        {"training": tmp_path / "training.npz", "manifest": tmp_path / "training.json", "config": config},
        {"labels": folder / "labels.npz", "audit": folder / "audit.json"},
    )
    labels, record = observed_labels.read_labels(
        folder / "labels.npz", folder / "audit.json", tmp_path / "training.json"
    )
    assert (labels == draw(context, noise_seed=2).labels).all()
    assert record["dataset"] == "toy-01234567"
    assert record["realised_noise_rate"] == pytest.approx((labels != context.labels)[context.part == 0].mean())
