"""Transition matrices and class maps of one's own: read with their class names, or refused with what they look like."""

import json

import numpy as np
import pytest

from smearlab.core.errors import UserError
from smearlab.grid.resolve import noise_options
from smearlab.noises import asymmetric, matrix
from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import asked_transition, draw, rate_range, too_high

NAMES = ["cat", "cow", "dog"]
T = np.array([[0.7, 0.2, 0.1], [0.0, 0.9, 0.1], [0.3, 0.3, 0.4]])


def save(path, content):
    if path.suffix == ".npy":
        np.save(path, content)
    elif path.suffix == ".npz":
        np.savez(path, **content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def table(rows, mark=",", header=None, index=None):
    lines = [[str(number) for number in row] for row in rows]
    if index is not None:
        lines = [[name, *line] for name, line in zip(index, lines, strict=True)]
    return "".join(mark.join(line) + "\n" for line in ([header] if header else []) + lines)


NUMBERS = ["0", "1", "2"]
READ = {
    "T.npy": T,
    "T.npz": {"transition": T, "class_names": np.array(NAMES)},
    "alone.npz": {"anything": T},
    "T.json": T.tolist(),
    "named.json": {"class_names": NAMES, "transition": T.tolist()},
    "nested.json": {a: {b: T[i, j] for j, b in enumerate(NAMES)} for i, a in enumerate(NAMES)},
    "T.csv": table(T),
    "mark.csv": "\ufeff" + table(T),
    "semicolons.csv": table(T, ";"),
    "T.tsv": table(T, "\t"),
    "savetxt.txt": table(T, " "),
    "header.csv": table(T, header=NAMES),
    "pandas.csv": table(T, header=["", *NAMES], index=NAMES),
    "pandas numbers.csv": table(T, header=["", *NUMBERS], index=NUMBERS),
    "pandas no index.csv": table(T, header=NUMBERS),
    "corner.csv": table(T, header=["true", *NAMES], index=NAMES),
    "index.csv": table(T, index=NAMES),
    "numbered.csv": table(T, index=NUMBERS),
}


@pytest.mark.parametrize("name", READ)
def test_a_matrix_is_read_in_every_form_that_is_written(tmp_path, name):
    assert np.allclose(matrix.transition(3, NAMES, path=save(tmp_path / name, READ[name])), T, atol=1e-12)


MOVED = ["cow", "cat", "dog"]
REFUSED = {
    "transposed.npy": (T.T, r"rows sum to 0\.6 to 1\.4, not to 1, but its columns do: it is transposed"),
    "rounded.npy": ([[0.333, 0.333, 0.333], *T[1:].tolist()], "it is rounded; write more decimals, or divide each row"),
    "counts.npy": ((T * 50).round(), "it holds counts .*divide each row by its sum"),
    "per cent.json": ((T * 100).tolist(), "counts .or whole per cent"),
    "fine per cent.npy": (T * 100 + np.array([0.05, -0.05, 0]), "it holds per cent; divide by 100"),
    "index.csv": (table(T, index=["1", "2", "3"]), "rows are of the classes 0 = 1, 1 = 2, 2 = 3"),
    "index.npy": (np.c_[np.arange(3), T], "3 rows of 4 numbers: is the first line or column an index"),
    "wrong.npy": (T + np.array([0.1, 0, 0]), r"row 0 of the transition matrix sums to 1\.1, not to 1"),
    "order.csv": (table(T, header=["", *MOVED], index=MOVED), "rows are of the classes 0 = cow, .* in another order"),
    "columns.csv": (table(T, header=["", *MOVED], index=NAMES), "columns are of the classes 0 = cow"),
    "other.json": ({"class_names": ["a", "b", "c"], "transition": T.tolist()}, "the data's are 0 = cat, 1 = cow"),
    "hole.json": ({"cat": {"cat": 1}, "cow": {"cow": 1}}, "every class needs a number for each class"),
    "strange.json": ({"T": T.tolist(), "note": 1}, "holds T, note; needed is transition"),
    "small.npy": (np.eye(2), r"shape \(2, 2\), needed \(3, 3\)"),
    "negative.npy": (T - 2 * np.eye(3), "finite entries of 0 or more"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_matrix_is_refused_with_what_it_looks_like(tmp_path, name):
    content, message = REFUSED[name]
    with pytest.raises(UserError, match=message) as error:
        matrix.transition(3, NAMES, path=save(tmp_path / name, content))
    assert "\n" not in str(error.value) and name in str(error.value)


def context(names, n=3000):
    labels = np.arange(n) % len(names)
    images = np.zeros((n, 2, 2, 1), np.uint8)
    return NoiseContext("arrays", len(names), list(names), images, labels, None, np.zeros(n, np.uint8), np.arange(n))


def doubts(kind, names, rate=None, **options):
    return draw(kind, context(names), rate=rate, noise_seed=0, options=options).doubts


def test_a_matrix_of_another_class_order_is_doubted_and_one_of_high_noise_is_not(tmp_path):
    moved = save(tmp_path / "moved.npy", T[:, [1, 2, 0]])
    (doubt,) = doubts("matrix", NAMES, path=moved)
    assert "the classes are numbered in another order" in doubt
    for right in (T, np.full((3, 3), 1 / 3), 0.4 * np.eye(3) + 0.2):
        assert doubts("matrix", NAMES, path=save(tmp_path / "T.npy", right)) == ()


TEXT = sorted(str(i) for i in range(1, 13))


def test_a_matrix_or_map_without_names_says_its_order_where_names_sort_as_text(tmp_path):
    rows = np.eye(12)
    rows[1] = 1 / 12
    (doubt,) = doubts("matrix", TEXT, path=save(tmp_path / "T.npy", rows))
    assert doubt == f"the transition counts classes in the order of names as text ({', '.join(said(TEXT))})"
    named = {"class_names": TEXT, "transition": rows.tolist()}
    assert doubts("matrix", TEXT, path=save(tmp_path / "T.json", named)) == ()
    assert doubts("matrix", TEXT, path=save(tmp_path / "same.npy", np.full((12, 12), 1 / 12))) == ()
    by_place = list(range(12))
    by_place[1] = 2
    assert doubts("asymmetric", TEXT, rate=0.2, class_map=by_place)[0].startswith("the class map counts classes in")
    assert doubts("asymmetric", TEXT, rate=0.2, class_map={"10": "11"}) == ()
    assert doubts("asymmetric", NAMES, rate=0.6, class_map=[1, 2, 0]) == ()


def said(names):
    return [f"{i} = {name}" for i, name in enumerate(names)]


def asked(class_map, names=NAMES):
    return asked_transition("asymmetric", 3, "arrays", rate=0.5, options={"class_map": class_map}, class_names=names)


def test_a_class_map_may_name_classes():
    moved = [[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]]
    for class_map in ([2, 1, 0], ["dog", "cow", "cat"], {"cat": "dog", "dog": "cat"}):
        assert asked(class_map).tolist() == moved
        assert noise_options("asymmetric", {"class_map": class_map}, "noises.x") == {"class_map": class_map}
    assert asked({"3": "5"}, ["3", "4", "5"]).tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("class_map", [{3: 5}, [1.5, 2, 0], 3, [["cat"]], [1, "cat", 0]])
def test_another_form_of_class_map_is_told_what_form_is_asked(class_map):
    with pytest.raises(UserError) as error:
        noise_options("asymmetric", {"class_map": class_map}, "noises.x")
    assert str(error.value).startswith("config: noises.x.class_map: give a list with one class for each class")
    assert "{cat: dog}" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("class_map", [{"cat": "lion"}, ["cat", "lion", "dog"], {"cat": 2}, {"cat": ["dog"]}])
def test_a_class_map_of_strangers_is_refused(class_map):
    with pytest.raises(UserError, match=r"class_map: .* is no class"):
        asymmetric.transition(3, "arrays", NAMES, rate=0.5, class_map=class_map)


def test_symmetric_noise_of_the_benchmarks_is_named():
    _, high = rate_range("symmetric", 10, {})
    assert too_high("symmetric", 0.9, high).endswith("that is kind uniform_redraw")
    assert too_high("symmetric", -0.1, high) == too_high("pair_flip", 1.0, 1.0) == ""
    with pytest.raises(UserError, match=r"rate 0\.9, allowed from 0 to below 0\.9; .*uniform_redraw"):
        doubts("symmetric", [str(i) for i in range(10)], rate=0.9)
