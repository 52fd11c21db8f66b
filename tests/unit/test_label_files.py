"""Label files as people publish them: read for what they say, or refused; a wrong order never passes in silence."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from smearlab.core.errors import UserError
from smearlab.noises import human
from smearlab.noises._context import NoiseContext
from smearlab.noises._doubts import label_doubts
from smearlab.noises._draw import audit, draw
from smearlab.noises._label_columns import read_label_file
from smearlab.store.text_tables import read_text_table

N, L = 240, 12
NAMES = ["bee", "cat", "cow", "dog", "elk", "fox", "gnu", "hen", "owl", "pig", "rat", "yak"]
RNG = np.random.default_rng(0)
CLEAN = RNG.integers(0, L, N)
GIVEN = np.where(RNG.random(N) < 0.3, RNG.integers(0, L, N), CLEAN)  # about 27 % wrong
SHUFFLED = RNG.permutation(N)


def context(**changes):
    values = {
        "dataset_kind": "arrays",
        "n_classes": L,
        "class_names": NAMES,
        "images": np.zeros((N, 4, 4, 1), np.uint8),
        "labels": CLEAN,
        "noisy_labels": None,
        "part": np.zeros(N, np.uint8),
        "source_index": np.arange(N),
        "sizes": (N, N),
    }
    return NoiseContext(**{**values, **changes})


def observe(path, where=None, **options):
    return human.observe(where or context(), np.random.default_rng(0), path=str(path), **options)


def held(path, where=None, **options):
    """The labels with what speaks against them."""
    return draw("human", where or context(), rate=None, noise_seed=0, options={"path": str(path), **options})


def write_csv(path, rows, header="label"):
    path.write_text("".join(f"{line}\n" for line in ([header] if header is not None else []) + rows), encoding="utf-8")
    return path


def save(path, content):
    """Write labels int (N,) in the form of a file's suffix."""
    match path.suffix:
        case ".pt" | ".pth":
            torch.save(content, path)
        case ".npy":
            np.save(path, content)
        case ".json":
            path.write_text(json.dumps(content))
        case _:
            path.write_text(content, encoding="utf-8")
    return path


FORMS = {
    "list.pt": {"noisy": GIVEN.tolist()},
    "beside its probabilities.csv": "label,first,rest\n" + "".join(f"{y},0.25,0.75\n" for y in GIVEN),
    "list.json": GIVEN.tolist(),
    "names.json": [NAMES[y] for y in GIVEN],
    "by index.json": {str(i): int(GIVEN[i]) for i in SHUFFLED},
    "records.json": [{"index": int(i), "label": NAMES[GIVEN[i]]} for i in SHUFFLED],
    "columns.json": {"index": SHUFFLED.tolist(), "label": GIVEN[SHUFFLED].tolist()},
    "pairs.json": [[int(i), int(GIVEN[i])] for i in SHUFFLED],
    "tensor.pt": torch.tensor(GIVEN),
    "named.pt": {"noisy": torch.tensor(GIVEN, dtype=torch.int32)},
    "column.pth": {"noisy": torch.tensor(GIVEN)[:, None]},
    "bytes.npy": GIVEN.astype(np.uint8),
    "column.npy": GIVEN[:, None],
    "texts.npy": np.array(NAMES)[GIVEN],
    "line.txt": "".join(f"{y}\n" for y in GIVEN),
    "windows.txt": "".join(f"{y}\r\n" for y in GIVEN),
    "names.txt": "".join(f"{NAMES[y]}\n" for y in GIVEN),
    "savetxt.txt": "".join(f"{y:.18e}\n" for y in GIVEN),
    "spaced.txt": "".join(f"{i} {GIVEN[i]}\n" for i in SHUFFLED),
    "images.txt": "".join(f"images/{i}.jpg {GIVEN[i]}\n" for i in SHUFFLED),
    "header.csv": "label\n" + "".join(f"{y}\n" for y in GIVEN),
    "mark.csv": "\ufefflabel\n" + "".join(f"{y}\n" for y in GIVEN),
    "no header.csv": "".join(f"{y}\n" for y in GIVEN),
    "pandas series.csv": "0\n" + "".join(f"{y}\n" for y in GIVEN),
    "pandas.csv": ",label\n" + "".join(f"{i},{y}\n" for i, y in enumerate(GIVEN)),
    "pandas float.csv": ",label\n" + "".join(f"{i},{y}.0\n" for i, y in enumerate(GIVEN)),
    "pandas shuffled.csv": ",label\n" + "".join(f"{i},{GIVEN[i]}\n" for i in SHUFFLED),
    "index.csv": "index,label\n" + "".join(f"{i},{GIVEN[i]}\n" for i in SHUFFLED),
    "no header index.csv": "".join(f"{i},{GIVEN[i]}\n" for i in SHUFFLED),
    "semicolons.csv": "idx;label\n" + "".join(f"{i};{NAMES[GIVEN[i]]}\n" for i in SHUFFLED),
    "tabs.tsv": "id\tlabel\n" + "".join(f"{i}\t{GIVEN[i]}\n" for i in SHUFFLED),
    "file.csv": "file,label\n" + "".join(f"img_{i:05}.png,{GIVEN[i]}\n" for i in SHUFFLED),
    "both.csv": "label,label_name\n" + "".join(f"{y},{NAMES[y]}\n" for y in GIVEN),
    "score.csv": "index,label,score\n" + "".join(f"{i},{GIVEN[i]},0.{i}\n" for i in SHUFFLED),
}


@pytest.mark.parametrize("name", FORMS)
def test_right_labels_come_out_right_in_whatever_form_they_are_published(tmp_path, name):
    found = held(save(tmp_path / name, FORMS[name]))
    assert (found.labels == GIVEN).all()
    assert found.labels.dtype == np.int64
    assert found.doubts == ()


@pytest.mark.parametrize("name", ["index.csv", "by index.json", "no header index.csv", "pairs.json"])
@pytest.mark.parametrize("unknown", [False, True])
def test_rows_are_aligned_without_clean_labels_and_for_a_part_of_the_data_too(tmp_path, name, unknown):
    chosen = np.random.default_rng(1).permutation(N)[:100]
    labels = np.full(100, -1) if unknown else CLEAN[chosen]
    found = held(save(tmp_path / name, FORMS[name]), context(source_index=chosen, labels=labels))
    assert (found.labels == GIVEN[chosen]).all()


def test_numbers_in_file_names_are_places_only_where_the_rows_or_the_clean_labels_say_so(tmp_path):
    shuffled = save(tmp_path / "h.csv", FORMS["file.csv"])
    chosen, unknown = np.random.default_rng(1).permutation(N)[:150], context(labels=np.full(N, -1))
    found = held(shuffled, context(source_index=chosen, labels=CLEAN[chosen]))
    assert (found.labels == GIVEN[chosen]).all()
    for where in (unknown, context(labels=CLEAN[np.random.default_rng(2).permutation(N)])):
        with pytest.raises(UserError, match=r"png' names an example, and the examples .* have no names"):
            held(shuffled, where)
    sorted_rows = write_csv(tmp_path / "s.csv", [f"img_{i}.png,{y}" for i, y in enumerate(GIVEN)], "file,label")
    assert (held(sorted_rows, unknown).labels == GIVEN).all()


def test_a_counter_of_pandas_names_no_example_and_the_rows_must_be_as_many(tmp_path):
    path = write_csv(tmp_path / "h.csv", [f"{row},{GIVEN[i]}" for row, i in enumerate(SHUFFLED[1:])], ",label")
    source = np.arange(N - 2)
    with pytest.raises(UserError, match="239 labels; the data has 240 examples"):
        held(path, context(labels=CLEAN[:-2], source_index=source))


def test_a_byte_order_mark_belongs_to_no_name(tmp_path):
    path = save(tmp_path / "h.csv", FORMS["mark.csv"])
    assert list(read_label_file(path).columns) == ["label"]


ONE_HOT = np.eye(L, dtype=int)[GIVEN]
SOFT = np.round(0.7 * ONE_HOT + 0.3 / L, 6)


def table(rows, header):
    lines = [",".join(map(str, row)) for row in rows.tolist()]
    return "\n".join([*([] if header is None else [",".join(header)]), *lines]) + "\n"


REFUSED = {
    "one-hot.json": (ONE_HOT.tolist(), "columns 0, 1, 2, .* as one-hot labels"),
    "one-hot truths.json": ((ONE_HOT > 0).tolist(), "as one-hot labels"),
    "one-hot floats.json": (ONE_HOT.astype(float).tolist(), "as one-hot labels"),
    "one-hot by class.json": (
        dict(zip(NAMES, ONE_HOT.T.tolist(), strict=True)),
        "columns bee, cat.* as one-hot labels",
    ),
    "one-hot by example.json": (dict(zip(map(str, range(N)), ONE_HOT.tolist(), strict=True)), "one-hot, one for each"),
    "one-hot inside.json": ({"labels": ONE_HOT.tolist()}, "one-hot, one for each example"),
    "one-hot records.json": ([dict(zip(NAMES, row, strict=True)) for row in ONE_HOT.tolist()], "as one-hot labels"),
    "soft.json": (SOFT.tolist(), "as one-hot labels or probabilities"),
    "one-hot.csv": (table(ONE_HOT, NAMES), r"columns bee, cat.*one-hot.*argmax\(axis=1\)"),
    "one-hot with an index.csv": (table(np.c_[np.arange(N), ONE_HOT], ["index", *NAMES]), "columns bee, cat.*one-hot"),
    "one-hot without names.csv": (table(ONE_HOT, None), "columns 0, 1, 2.*one-hot"),
    "list.pt": (GIVEN.tolist(), r"found a list; save torch\.tensor"),
    "list of names.pt": ({"labels": [NAMES[y] for y in GIVEN]}, r"'labels' is a list of str; save torch\.tensor"),
    "list of tensors.pt": ({"labels": [torch.tensor(y) for y in GIVEN]}, r"list of tensor; save torch\.tensor"),
    "list of numpy numbers.pt": ({"labels": list(GIVEN)}, r"numpy.*scalar.*save torch\.tensor"),
    "one-hot.npy": (np.eye(L, dtype=int)[GIVEN], r"\(240, 12\).* one-hot labels do: give \.argmax\(axis=1\)"),
    "one-hot transposed.npy": (np.eye(L, dtype=int)[GIVEN].T, r"\(12, 240\).*give \.argmax\(axis=0\)"),
    "soft.npy": (np.full((N, L), 1 / L), r"give \.argmax\(axis=1\)"),
    "annotators.npy": (np.stack([GIVEN, CLEAN], axis=1), r"\(240, 2\); needed is one label a row.* give one column"),
    "row.npy": (GIVEN[None], r"\(1, 240\).*reshape\(-1\)"),
    "floats.npy": (GIVEN + 0.0, "holds float64 numbers, .*astype"),
    "missing.npy": (np.where(GIVEN == 3, np.nan, GIVEN), r"\d+ of them NaN"),
    "dictionary.npy": (np.array({"label": GIVEN}, dtype=object), "pickled Python objects, a dictionary .*numpy.savez"),
    "from one.npy": (GIVEN + 1, "count from 1 to 12, and classes count from 0: subtract 1"),
    "finer.npy": (GIVEN * 5, "they reach 55; are they of a finer set"),
    "unknown.npy": (GIVEN - 1, "there is a -1; every example needs a label"),
    "short.npy": (GIVEN[:-1], "239 labels; the data has 240 examples"),
    "long shuffled.npy": (
        np.r_[3, GIVEN[SHUFFLED]],
        "241 labels; the data has 240 examples outside the test part, 240",
    ),
    "from one.csv": ("index,label\n" + "".join(f"{i + 1},{GIVEN[i]}\n" for i in SHUFFLED), "places count from 0"),
    "twice.csv": ("index,label\n" + "".join(f"{i // 2},{GIVEN[i]}\n" for i in SHUFFLED), "stands in 2 rows"),
    "holes.csv": (
        "index,label\n" + "".join(f"{2 * i},{GIVEN[i]}\n" for i in SHUFFLED),
        "runs from 0 to 478; the examp",
    ),
    "some.csv": ("index,label\n" + "".join(f"{i},{GIVEN[i]}\n" for i in SHUFFLED[:99]), "99 labels; the data has 240"),
    "paths.csv": (
        "path,label\n" + "".join(f"{i}_a_7.png,{GIVEN[i]}\n" for i in SHUFFLED),
        "have no names; give a column",
    ),
    "fractions.csv": (
        "label\n" + "".join(f"{y}.5\n" for y in GIVEN),
        r"'label' holds \d+\.5, which is no whole number",
    ),
    "empty field.csv": ("index,label\n" + "".join(f"{i},\n" for i in SHUFFLED), "'label' has 240 empty fields"),
    "stranger.csv": ("label\n" + "zebra\n" * N, "0 = bee, 1 = cat"),
    "empty line.txt": (FORMS["line.txt"].replace("\n", "\n\n", 1), "not every line"),
    "latin.csv": ("label\n" + "No\udce9\n" * N, "no text in UTF-8"),
    "two.csv": (
        "a,b\n" + "".join(f"{a},{b}\n" for a, b in zip(GIVEN, CLEAN, strict=True)),
        "no column None; it has a, b",
    ),
    "same.csv": ("a,a\n" + "1,2\n" * N, "two columns are called 'a'"),
    "ragged.json": ([[1, 2], [3]], "rows of different length|holds"),
    "truth.json": ([True, False] * 120, "holds True, no label"),
    "word.json": ("cat", "found a str"),
}


def test_a_column_of_one_hot_labels_is_no_column_of_labels_by_its_name_either(tmp_path):
    path = save(tmp_path / "h.csv", table(ONE_HOT, NAMES))
    with pytest.raises(UserError, match="one-hot"):
        held(path, column="cat")


def test_the_second_of_two_one_hot_columns_holds_the_index_of_the_class(tmp_path):
    truth = CLEAN % 2
    path = save(tmp_path / "h.csv", table(np.eye(2, dtype=int)[truth], ["no", "yes"]))
    two = context(labels=truth, n_classes=2, class_names=["no", "yes"])
    assert (held(path, two, column="yes").labels == truth).all()
    with pytest.raises(UserError, match="one-hot"):
        held(path, two)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_column_of_labels_is_refused_with_what_it_is(tmp_path, name):
    content, message = REFUSED[name]
    if isinstance(content, str) and "\udce9" in content:
        (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    else:
        save(tmp_path / name, content)
    with pytest.raises(UserError, match=message) as error:
        held(tmp_path / name)
    assert "\n" not in str(error.value) and name in str(error.value)


def test_an_index_is_never_taken_as_labels_nor_a_column_of_workers(tmp_path):
    rows = [f"{i},{i % 7},{NAMES[GIVEN[i]]}" for i in SHUFFLED]
    path = write_csv(tmp_path / "h.csv", rows, "index,worker,label")
    with pytest.raises(UserError, match="no column None; it has worker, label"):
        held(path)
    assert (held(path, column="label").labels == GIVEN).all()


def test_two_columns_that_disagree_on_the_order_are_refused_until_one_is_named(tmp_path):
    rows = [f"{row},{i}.png,{GIVEN[i]}" for row, i in enumerate(SHUFFLED)]
    path = write_csv(tmp_path / "h.csv", rows, "index,file,label")
    with pytest.raises(UserError, match="'index' and 'file' order the rows differently; say in path_column"):
        held(path)
    assert (held(path, path_column="file").labels == GIVEN).all()
    with pytest.raises(UserError, match="no column 'frame' to align by"):
        held(path, path_column="frame")
    unnamed = write_csv(tmp_path / "u.csv", rows, ",file,label")  # only counts the rows
    assert (held(unnamed).labels == GIVEN).all()


def names_of(n):
    return tuple(f"train/{NAMES[CLEAN[i]]}/{i:04}.png" for i in range(n))


@pytest.mark.parametrize(
    "spell",
    [
        lambda name: name,
        lambda name: f"./{name}",
        lambda name: f"/home/me/data/{name}",
        lambda name: name.replace("/", "\\"),
        lambda name: name.removeprefix("train/"),
        lambda name: name.rpartition("/")[2],
    ],
)
def test_paths_are_matched_however_much_of_them_is_written(tmp_path, spell):
    names = names_of(N)
    rows = [f"{spell(names[i])},{GIVEN[i]}" for i in SHUFFLED]
    found = held(write_csv(tmp_path / "h.csv", rows, "path,label"), context(names=names))
    assert (found.labels == GIVEN).all()


def test_paths_that_could_be_two_examples_or_are_absent_are_refused(tmp_path):
    names = tuple(f"train/{'ab'[i % 2]}/{i // 2}.png" for i in range(N))
    rows = [f"{names[i].rpartition('/')[2]}{'' if i % 2 else '?'},{GIVEN[i]}" for i in SHUFFLED]
    with pytest.raises(UserError, match=r"120 labels|240 of 240 examples have no row, first 'train/a/0\.png'"):
        held(write_csv(tmp_path / "h.csv", rows, "path,label"), context(names=names))


def test_files_that_count_without_zeros_are_in_doubt_where_rows_have_no_path(tmp_path):
    names = tuple(sorted(f"train/a/{i}.png" for i in range(N)))
    (doubt,) = held(save(tmp_path / "h.npy", GIVEN), context(names=names)).doubts
    assert "order of file names as text (train/a/0.png, train/a/1.png, train/a/10.png)" in doubt
    assert held(tmp_path / "h.npy", context(names=names_of(N))).doubts == ()


NUMBERS = sorted(str(i) for i in range(1, 13))  # as text: 1, 10, 11, 12, 2, …


def test_numbered_classes_take_no_index_unless_the_clean_labels_prove_it(tmp_path):
    as_text = save(tmp_path / "text.npy", GIVEN)
    assert (held(as_text, context(class_names=NUMBERS)).labels == GIVEN).all()
    in_numbers = save(tmp_path / "numbers.npy", np.array([int(NUMBERS[y]) - 1 for y in GIVEN]))
    for path, labels in ((in_numbers, CLEAN), (in_numbers, np.full(N, -1)), (as_text, np.full(N, -1))):
        with pytest.raises(UserError, match=r"as indices .* or as indices in the order of numbers .*1 = 10"):
            held(path, context(class_names=NUMBERS, labels=labels))
    by_name = save(tmp_path / "names.npy", np.array([int(NUMBERS[y]) for y in GIVEN]))
    assert (held(by_name, context(class_names=NUMBERS)).labels == GIVEN).all()


def test_numbers_that_are_names_and_indices_alike_are_refused_without_proof(tmp_path):
    names = [str(i) for i in range(1, 13)]
    some = np.where(GIVEN == 11, 0, GIVEN)  # 0 to 10 as indices; as names 1 to 11
    path = save(tmp_path / "h.npy", np.where(some == 0, 1, some))
    with pytest.raises(UserError, match=r"as indices \('1' is class '2'\) or as class names"):
        held(path, context(class_names=names, labels=np.full(N, -1)))


class TestClean:
    def test_coarse_labels_are_checked_against_coarse_ones(self, tmp_path):
        coarse = np.arange(L) // 3
        arrays = {"clean_label": CLEAN, "noisy_label": GIVEN}
        arrays |= {"clean_coarse_label": coarse[CLEAN], "noisy_coarse_label": coarse[GIVEN]}
        torch.save(arrays, tmp_path / "h.pt")
        names, fine = ["a", "b", "c", "d"], context()
        data = context(labels=coarse[CLEAN], class_names=names, n_classes=4)
        found = held(tmp_path / "h.pt", data, column="noisy_coarse_label")
        assert (found.labels == coarse[GIVEN]).all() and found.doubts == ()
        assert (held(tmp_path / "h.pt", fine, column="noisy_label").labels == GIVEN).all()
        with pytest.raises(UserError, match=r"labels outside 0\.\.3: they reach 11; are they of a finer set"):
            held(tmp_path / "h.pt", data, column="noisy_label")
        with pytest.raises(UserError, match="its clean labels differ"):
            held(tmp_path / "h.pt", fine, column="noisy_coarse_label")

    def test_more_rows_than_the_data_are_fine_where_the_clean_labels_prove_them(self, tmp_path):
        path = save(tmp_path / "h.npy", np.r_[GIVEN, GIVEN])
        assert (held(path).labels == GIVEN).all()
        for labels in (CLEAN[SHUFFLED], np.full(N, -1)):
            with pytest.raises(UserError, match="480 labels; the data has 240"):
                held(path, context(labels=labels))


def test_data_sorted_by_class_prove_no_order(tmp_path):
    """Rows moved by one agree nearly as often there, so a file of one row too few or too many is refused."""
    order = np.argsort(CLEAN, kind="stable")
    for name, rows in (("less.csv", GIVEN[order]), ("more.csv", np.r_[0, 0, GIVEN[order]])):
        path = write_csv(tmp_path / name, [f"{y}" for y in rows[1:]])
        source = np.delete(np.arange(N), N - 1)  # the last example is a test example
        with pytest.raises(UserError, match=r"(239|241) labels; the data has 240 examples"):
            held(path, context(labels=np.sort(CLEAN)[:-1], source_index=source))


DOUBTFUL = {
    "rows": (GIVEN[SHUFFLED], "each class has as many given|agree no more than by chance"),
    "permuted": (
        CLEAN[SHUFFLED],
        "each class has as many given as clean labels; likely cause: the rows are in another",
    ),
    "order": ((GIVEN * 5 + 3) % L, "numbered in another order .*'bee' is given as 'dog'"),
    "coarse": (GIVEN // 3, r"coarser set of classes \(4 of 12 classes occur\)"),
    "shifted": (np.roll(GIVEN, 1), "the rows are shifted by 1"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_labels_that_mostly_differ_come_with_the_likely_cause(tmp_path, name):
    labels, message = DOUBTFUL[name]
    (doubt,) = held(save(tmp_path / "h.npy", labels)).doubts
    assert re.search(message, doubt)
    wrong = int((labels != CLEAN).sum())
    assert doubt.startswith(f"{wrong} of 240 labels ({wrong / 240:.1%}) differ from the clean ones")
    brought = draw("labels", context(noisy_labels=labels), rate=None, noise_seed=0, options={})
    assert brought.doubts == (doubt,)


def test_counting_off_by_one_and_the_order_of_numbers_are_named():
    true = np.arange(200) % 10
    assert "off by one (+1)" in label_doubts(true, true + 1, [str(i) for i in range(11)])[0]
    place = [sorted(NUMBERS, key=int).index(name) for name in NUMBERS]
    (doubt,) = label_doubts(CLEAN, np.array(place)[CLEAN], NUMBERS)
    assert "as numbers sort" in doubt
    assert "only 4 of 12 classes occur" in label_doubts(np.full(N, -1), GIVEN // 3, NAMES)[0]


def test_two_classes_that_are_exchanged_are_noticed_below_one_half():
    exchanged = np.select([GIVEN == 0, GIVEN == 1], [1, 0], GIVEN)
    (doubt,) = label_doubts(CLEAN, exchanged, NAMES)
    assert "'bee' is given as 'cat'; 'cat' is given as 'bee'" in doubt


def test_rows_in_random_order_are_noticed_though_most_labels_are_of_one_class():
    rare = (np.random.default_rng(3).random(2000) < 0.1).astype(np.int64)
    (doubt,) = label_doubts(rare, np.random.default_rng(4).permutation(rare), ["no", "yes"])
    assert "agree no more than by chance" in doubt


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("n_classes", [2, 10, 100])
def test_honest_noise_of_many_kinds_raises_no_doubt(rate, n_classes):
    rng = np.random.default_rng(5)
    true = rng.integers(0, n_classes, 5000)
    for wrong in ((true + 1) % n_classes, rng.integers(0, n_classes, 5000)):
        given = np.where(rng.random(5000) < rate, wrong, true)
        assert label_doubts(true, given, [f"c{i:03}" for i in range(n_classes)]) == ()


def record(observed, where):
    manifest = {"sha256": {"images": "", "labels": ""}}
    return audit("labels", where, observed, rate=None, noise_seed=0, options={}, dataset="d", manifest=manifest)


def test_the_audit_has_doubts_only_where_there_are_any():
    kept = {}
    for name, labels in (("right", GIVEN), ("wrong", GIVEN[SHUFFLED])):
        where = context(noisy_labels=labels)
        kept[name] = record(draw("labels", where, rate=None, noise_seed=0, options={}), where)
    assert "doubts" not in kept["right"]
    assert len(kept["wrong"]["doubts"]) == 1
    assert set(kept["wrong"]) - set(kept["right"]) == {"doubts"}


def test_a_twin_of_doubtful_labels_is_doubtful(tmp_path):
    of = {"kind": "human", "path": str(save(Path(tmp_path, "h.npy"), GIVEN[SHUFFLED]))}
    assert draw("matched_twin", context(), rate=None, noise_seed=0, options={"of": of}).doubts


def test_blank_lines_at_the_end_of_a_table_are_no_rows(tmp_path):
    (tmp_path / "labels.csv").write_text("label\n1\n0\n\n\n", encoding="utf-8")
    assert read_text_table(tmp_path / "labels.csv").columns == {"label": ("1", "0")}
