"""Every kind of noise: its definition, its realised rate, its independence of order, and what it refuses."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.transition import counts, realised
from smearlab.noises import _draw as noise
from smearlab.noises import human, instance_dependent, matrix
from smearlab.noises._class_maps import CIFAR100_SUPERCLASSES, standard_map
from smearlab.noises._context import NoiseContext

OPTIONS = {"matched_twin": {"of": {"kind": "instance_dependent"}}}
SHARE = {  # of all labels that are wrong at rate 1, with ten equally frequent classes
    "symmetric": 1.0,
    "uniform_redraw": 0.9,
    "pair_flip": 1.0,
    "asymmetric": 0.5,
    "one_sided": 0.1,
    "instance_dependent": 1.0,
    "matched_twin": 1.0,
}
RATED = list(SHARE)


def drawn_at_any_rate(kind):
    """Whether a registered noise draws labels at rate 0 and 0.3 from its defaults and OPTIONS."""
    needed = {name for name, o in registry.describe("noises", kind).options.items() if o.default is registry.REQUIRED}
    options = OPTIONS.get(kind, {})
    if needed - {"rate", *options} or not (noise.is_rated(kind, options) and noise.draws(kind, 0.3)):
        return False
    low, high = noise.rate_range(kind, 10, options)
    return low <= 0 and high > 0.3


EVERY = [kind for kind in registry.names("noises") if drawn_at_any_rate(kind)]


def make_context(n=2000, n_classes=10, seed=0, **changes):
    rng = np.random.default_rng(seed)
    values = {
        "dataset_kind": "digits",
        "n_classes": n_classes,
        "class_names": [str(i) for i in range(n_classes)],
        "images": rng.integers(0, 256, (n, 4, 4, 3), dtype=np.uint8),
        "labels": np.arange(n) % n_classes,
        "noisy_labels": None,
        "part": (rng.random(n) < 0.2).astype(np.uint8),
        "source_index": np.arange(n),
    }
    return NoiseContext(**{**values, **changes})


def draw(context, kind, rate=0.3, noise_seed=0, **options):
    options = options or OPTIONS.get(kind, {})
    return noise.draw(kind, context, rate=rate, noise_seed=noise_seed, options=options)


def test_the_kinds_with_a_known_rate_are_among_those_that_are_drawn():
    assert set(RATED) <= set(EVERY)


@pytest.mark.parametrize("kind", EVERY)
def test_a_seed_gives_the_same_labels_and_another_seed_others(kind):
    context = make_context()
    first, again, other = (draw(context, kind, noise_seed=s).labels for s in (3, 3, 4))
    assert first.dtype == np.int64
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize("kind", RATED)
@settings(max_examples=8, deadline=None)
@given(rate=st.floats(0, 0.89), seed=st.integers(0, 10_000))
def test_realised_rate_lies_in_the_binomial_band_of_the_asked_one(kind, rate, seed):
    context = make_context()
    wrong = SHARE[kind] * rate
    found = (draw(context, kind, rate=rate, noise_seed=seed).labels != context.labels).mean()
    spread = np.sqrt(wrong * (1 - wrong) / 2000)
    assert abs(found - wrong) <= 6 * spread + 10 / 2000  # a handful more: rare events are Poisson, not normal


@pytest.mark.parametrize("kind", EVERY)
def test_rate_zero_changes_no_label(kind):
    context = make_context()
    assert (draw(context, kind, rate=0.0).labels == context.labels).all()


@pytest.mark.parametrize("kind", [k for k in RATED if k not in ("instance_dependent", "matched_twin")])
@settings(max_examples=20)
@given(rate=st.floats(0, 0.89))
def test_asked_transition_has_rows_of_one_and_the_rate_of_the_kind(kind, rate):
    asked = noise.asked_transition(kind, 10, "digits", rate=rate, options={})
    assert (asked >= 0).all()
    assert np.allclose(asked.sum(axis=1), 1, atol=1e-12)
    assert 1 - np.diag(asked).mean() == pytest.approx(SHARE[kind] * rate, abs=1e-12)


def test_pair_flip_moves_each_class_to_the_next():
    asked = noise.asked_transition("pair_flip", 3, "arrays", rate=0.25, options={})
    assert asked.tolist() == [[0.75, 0.25, 0], [0, 0.75, 0.25], [0.25, 0, 0.75]]


def test_one_sided_touches_one_class_only():
    asked = noise.asked_transition("one_sided", 2, "arrays", rate=0.25, options={})
    assert asked.tolist() == [[1, 0], [0.25, 0.75]]
    other = noise.asked_transition("one_sided", 3, "arrays", rate=0.5, options={"source": 0, "target": 2})
    assert other.tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 1]]
    with pytest.raises(UserError, match=r"two different classes of 0\.\.2"):
        noise.asked_transition("one_sided", 3, "arrays", rate=0.5, options={"source": 3, "target": 0})


def test_class_maps_of_the_literature():
    assert {i: t for i, t in enumerate(standard_map("digits")) if i != t} == {2: 7, 3: 8, 5: 6, 6: 5, 7: 1}
    assert standard_map("mnist") == standard_map("digits")
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    moved = {names[i]: names[t] for i, t in enumerate(standard_map("cifar10")) if i != t}
    assert moved == {
        "truck": "automobile",
        "bird": "airplane",
        "deer": "horse",
        "cat": "dog",
        "dog": "cat",
    }


def test_cifar100_cycles_through_each_superclass():
    following = standard_map("cifar100")
    assert sorted(following) == list(range(100))
    classes = sorted(name for group in CIFAR100_SUPERCLASSES for name in group.split())
    assert len(set(classes)) == 100
    # Class indices as torchvision numbers them: beaver 4, dolphin 30, otter 55, seal 72, whale 95.
    assert [following[i] for i in (4, 30, 55, 72, 95)] == [30, 55, 72, 95, 4]
    assert (classes.index("apple"), classes.index("worm")) == (0, 99)


def test_asymmetric_takes_a_map_of_ones_own_or_a_named_one():
    own = noise.asked_transition("asymmetric", 3, "arrays", rate=0.5, options={"class_map": [1, 1, 0]})
    assert own.tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0.5, 0, 0.5]]
    named = noise.asked_transition("asymmetric", 10, "arrays", rate=0.5, options={"class_map": "mnist"})
    assert (named == noise.asked_transition("asymmetric", 10, "mnist", rate=0.5, options={})).all()


@pytest.mark.parametrize(
    ("n_classes", "dataset_kind", "class_map", "message"),
    [
        (10, "arrays", None, "no standard class map for data set 'arrays'"),
        (10, "arrays", "cifar11", "'cifar11'; give class_map"),
        (5, "digits", None, "10 classes are mapped; needed are 5"),
        (3, "arrays", [1, 2, 3], r"one of 0\.\.2"),
        (3, "arrays", [1, 2], "2 classes are mapped; needed are 3"),
    ],
)
def test_a_class_map_that_does_not_fit_is_refused(n_classes, dataset_kind, class_map, message):
    with pytest.raises(UserError, match=message):
        noise.asked_transition("asymmetric", n_classes, dataset_kind, rate=0.2, options={"class_map": class_map})


def test_instance_dependent_follows_the_published_algorithm():
    """Recomputed one example at a time, from the same draws."""
    context = make_context(n=60, n_classes=3, labels=np.arange(60) % 3)
    found = instance_dependent.observe(context, np.random.default_rng(5), rate=0.4)
    rng = np.random.default_rng(5)
    rng.random(60)
    uniforms = rng.random(60)
    weights = rng.standard_normal((3, 48, 3))
    pixels = context.images.astype(float)
    pixels = (pixels - pixels.mean(axis=(0, 1, 2))) / pixels.std(axis=(0, 1, 2))
    for i, true in enumerate(context.labels):
        score = pixels[i].ravel() @ weights[true]
        others = [j for j in range(3) if j != true]
        share = np.exp(score[others] - score[others].max())
        row = np.zeros(3)
        row[others] = found.difficulty[i] * share / share.sum()
        row[true] = 1 - found.difficulty[i]
        assert found.labels[i] == np.flatnonzero(uniforms[i] < np.cumsum(row))[0]


@given(st.floats(0.001, 0.999))
@settings(max_examples=25)
def test_flip_probabilities_have_the_asked_mean_and_stay_inside_their_bounds(rate):
    grid = (np.arange(2000) + 0.5) / 2000
    flip = instance_dependent._flip_probabilities(rate, grid, "symmetric")
    assert flip.mean() == pytest.approx(rate, abs=1e-9)
    assert flip.min() >= -1e-12
    assert flip.max() <= 1 + 1e-12
    assert flip.std() <= 0.1


@given(st.floats(0.0, 0.999))
@settings(max_examples=25)
def test_flip_probabilities_of_the_paper_are_a_normal_cut_to_the_unit_interval(rate):
    grid = (np.arange(2000) + 0.5) / 2000
    flip = instance_dependent._flip_probabilities(rate, grid, "unit")
    ends = -rate / 0.1, (1 - rate) / 0.1
    expected = stats.truncnorm.ppf(grid, *ends, loc=rate, scale=0.1) if rate else np.zeros(2000)
    assert flip == pytest.approx(expected, abs=1e-6)


def test_the_papers_truncation_gives_129_wrong_labels_of_1000_where_100_were_asked():
    flip = instance_dependent._flip_probabilities(0.1, (np.arange(20000) + 0.5) / 20000, "unit")
    assert flip.mean() == pytest.approx(0.1288, abs=1e-4)
    assert instance_dependent._flip_probabilities(0.1, np.array([1 - 2.0**-53]), "unit") < 1
    context = make_context(n=3000, n_classes=3, labels=np.arange(3000) % 3)
    draws = [draw(context, "instance_dependent", rate=0.1, **options) for options in ({}, {"truncation": "unit"})]
    shares = [(found.labels != context.labels).mean() for found in draws]
    assert shares == pytest.approx([0.1, 0.129], abs=0.02) and shares[1] > shares[0] + 0.01


def test_instance_dependent_labels_depend_on_the_image():
    """Two images of one class are mislabelled in different ways."""
    images = np.repeat(np.random.default_rng(0).integers(0, 256, (2, 1, 8, 8, 1), dtype=np.uint8), 500, axis=1)
    context = make_context(n=1000, labels=np.zeros(1000, dtype=np.int64), images=images.reshape(1000, 8, 8, 1))
    labels = draw(context, "instance_dependent", rate=0.8).labels
    rows = [np.bincount(half, minlength=10)[1:] / (half > 0).sum() for half in (labels[:500], labels[500:])]
    assert np.abs(rows[0] - rows[1]).sum() > 0.5


def test_audit_shows_difficulty():
    context = make_context()
    observed = draw(context, "instance_dependent", rate=0.3)
    record = noise.audit(
        "instance_dependent",
        context,
        observed,
        rate=0.3,
        noise_seed=0,
        options={},
        dataset="d",
        manifest={"sha256": {"images": "", "labels": ""}},
    )
    assert record["transition_asked"] is None
    assert record["difficulty"]["mean"] == pytest.approx(observed.difficulty.mean())
    assert record["difficulty"]["mean_of_wrong"] > record["difficulty"]["mean_of_right"]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 500), st.sampled_from(["symmetric", "instance_dependent"]))
def test_twin_keeps_every_count_and_breaks_the_link(seed, kind):
    context = make_context(n=600, seed=seed)
    original = draw(context, kind, rate=0.4, noise_seed=seed)
    twin = draw(context, "matched_twin", rate=0.4, noise_seed=seed, of={"kind": kind})
    for part in (0, 1):
        inside = context.part == part
        pairs = [counts(context.labels[inside], x.labels[inside], 10) for x in (original, twin)]
        assert (pairs[0] == pairs[1]).all()
    assert (original.labels != twin.labels).any()


def test_twin_of_labels_from_a_file_needs_no_rate(tmp_path):
    context = make_context(n=100)
    np.savez(tmp_path / "human.npz", worse_label=np.roll(np.arange(100) % 10, 3))
    of = {"kind": "human", "path": str(tmp_path / "human.npz")}
    assert not noise.is_rated("matched_twin", {"of": of})
    assert noise.draws("matched_twin", None)
    twin = draw(context, "matched_twin", rate=None, of=of)
    assert np.allclose(np.nan_to_num(realised(context.labels, twin.labels, 10)).sum(axis=1), 1)
    assert noise.rate_range("matched_twin", 4, {"of": {"kind": "symmetric"}}) == (0.0, 0.75)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"kind": "symetric"}, "did you mean 'symmetric'"),
        ({}, "unknown noise 'None'"),
        ({"kind": "matched_twin"}, "cannot be made of another"),
        ({"kind": "one_sided", "sauce": 1}, "no option 'sauce'; it has source, target"),
    ],
)
def test_a_twin_of_what_is_no_noise_is_refused(of, message):
    with pytest.raises(UserError, match=message):
        draw(make_context(), "matched_twin", of=of)


@pytest.mark.parametrize("suffix", ["npy", "csv", "json"])
def test_matrix_is_read_from_each_format(tmp_path, suffix):
    rows, path = [[0.75, 0.25], [0.5, 0.5]], tmp_path / f"T.{suffix}"
    if suffix == "npy":
        np.save(path, rows)
    else:
        path.write_text(json.dumps(rows) if suffix == "json" else "0.75,0.25\n0.5, 0.5\n")
    assert matrix.transition(2, path=str(path)).tolist() == rows
    context = make_context(n_classes=2, n=20_000, labels=np.arange(20_000) % 2)
    observed = draw(context, "matrix", rate=None, path=str(path))
    assert np.abs(realised(context.labels, observed.labels, 2) - rows).max() < 0.02


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("T.npy", b"", "cannot be read"),
        ("T.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (9, 9), }", "cannot"),
        ("T.csv", b"0.5,0.5\n1\n", "a number in every place"),
        ("T.csv", b"a,b\n1,0\n", "columns are of the classes 0 = a, 1 = b; the data's are 0 = 0, 1 = 1"),
        ("T.json", b"[[1, 0", "cannot be read"),
        ("T.json", b"{}", "holds nothing; needed is transition"),
        ("T.mat", b"1", r"allowed are \.npy, \.csv, \.json"),
        ("T.csv", b"0.5,0.6\n0,1\n", "row 0 .* sums to 1.1"),
    ],
)
def test_a_bad_matrix_file_is_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        matrix.transition(2, path=str(tmp_path / name))
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_an_absent_matrix_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        matrix.transition(2, path=str(tmp_path / "T.npy"))


def read_human(context, path, column=None):
    return human.observe(context, np.random.default_rng(0), path=str(path), column=column).labels


@pytest.mark.parametrize("suffix", ["npz", "npy", "csv"])
def test_human_labels_are_aligned_by_their_place_in_the_source(tmp_path, suffix):
    context = make_context(n=50, source_index=np.random.default_rng(1).permutation(80)[:50])
    labels, path = np.random.default_rng(2).integers(0, 10, 80), tmp_path / f"human.{suffix}"
    if suffix == "npz":
        np.savez(path, worse_label=labels, other=labels * 0)
    elif suffix == "npy":
        np.save(path, labels)
    else:
        path.write_text("file,worse_label\n" + "".join(f"{i}.png,{y}\n" for i, y in enumerate(labels)))
    found = read_human(context, path, column="worse_label" if suffix == "npz" else None)
    assert (found == labels[context.source_index]).all()


def test_human_labels_are_checked_against_the_clean_ones_beside_them(tmp_path):
    context, path = make_context(n=50), tmp_path / "human.npz"
    noisy = np.zeros(50, dtype=np.int64)
    np.savez(path, clean_label=context.labels, aggre_label=noisy)
    assert (read_human(context, path) == noisy).all()
    np.savez(path, clean_label=np.roll(context.labels, 1), aggre_label=noisy)
    with pytest.raises(UserError, match="differ from those of the data in 50 of 50"):
        read_human(context, path)
    unknown = make_context(n=50, labels=np.full(50, -1))
    assert (read_human(unknown, path) == noisy).all()


@pytest.mark.parametrize(
    ("arrays", "column", "message"),
    [
        ({"a": np.zeros(50, int), "b": np.zeros(50, int)}, None, "no column None; it has a, b"),
        ({"a": np.zeros(50, int)}, "b", "no column 'b'; it has a"),
        ({"a": np.zeros(50)}, "a", "no column 'a'; it has none"),
        ({"a": np.full(50, 10)}, "a", r"50 labels outside 0\.\.9"),
        ({"a": np.zeros(49, int)}, "a", "49 labels; the data has 50 examples"),
    ],
)
def test_human_labels_that_do_not_fit_are_refused(tmp_path, arrays, column, message):
    np.savez(tmp_path / "human.npz", **arrays)
    with pytest.raises(UserError, match=message):
        read_human(make_context(n=50), tmp_path / "human.npz", column)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("h.csv", b"", "cannot be read"),
        ("h.csv", b"label\n1,2\n", "not every line"),
        ("h.csv", b"label\nten\n", "it has none"),
        ("h.npy", b"junk", "cannot be read"),
        ("h.npz", b"junk", "not an .npz"),
        ("h.parquet", b"junk", r"label files are \.pt, \.npz, \.npy, \.csv"),
    ],
)
def test_an_unreadable_label_file_is_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_human(make_context(n=50), tmp_path / name)
    assert "\n" not in str(error.value)
