"""Features: read from .npz and tables, refused in one line, standardised by the training part."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from smearlab.core.errors import UserError
from smearlab.datasets import features
from smearlab.datasets._raw import RawData
from smearlab.datasets._splitting import make_dataset
from smearlab.grid.cells import load_grid
from smearlab.noises._context import NoiseContext
from smearlab.noises._draw import draw
from smearlab.store.dataset import read_training, write_dataset
from smearlab.training.batches import input_shape, on_device, statistics_of

N, D = 30, 4
CPU = torch.device("cpu")


def values(n: int = N) -> np.ndarray:
    return np.random.default_rng(0).normal(3, 2, (n, D))


def table(**columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame(values(), columns=["a", "b", "c", "d"])
    return frame.assign(**{"labels": ["cat", "dog", "eel"] * 10, **columns})


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(frame: pd.DataFrame, path: str) -> str:
    if path.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.endswith(".tsv") else ",")
    return path


@pytest.mark.parametrize("path", ["mine.csv", "mine.tsv", "mine.parquet"])
def test_a_table_is_read(path: str) -> None:
    split = ["train"] * 15 + ["validation"] * 6 + ["test"] * 9
    write(table(noisy_labels=["dog", "dog", "eel"] * 10, split=split), path)
    raw = features.load(path=path)
    np.testing.assert_allclose(raw.images, values(), rtol=1e-15)
    assert raw.class_names == ["cat", "dog", "eel"] == features.class_names(path=path)
    assert raw.labels is not None and raw.labels.tolist() == [0, 1, 2] * 10
    assert raw.noisy_labels is not None and raw.noisy_labels.tolist() == [1, 1, 2] * 10
    assert raw.split.tolist() == split and features.sizes(path=path) == (21, 30)
    assert features.has_clean_labels(path=path)


def test_an_npz_is_read() -> None:
    np.savez("mine.npz", features=values().astype(np.float32), noisy_labels=np.arange(N) % 3, class_names=list("xyz"))
    raw = features.load(path="mine.npz")
    assert raw.images.dtype == np.float32 and raw.labels is None and raw.class_names == ["x", "y", "z"]
    assert not features.has_clean_labels(path="mine.npz") and features.count(path="mine.npz") == N


def test_columns_are_named_and_left_out() -> None:
    write(table(kind=["x", "y"] * 15, named=[0, 1, 1] * 10).drop(columns="labels"), "mine.csv")
    raw = features.load(path="mine.csv", labels_column="kind", leave_out=["a", "named"])
    np.testing.assert_allclose(raw.images, values()[:, 1:], rtol=1e-15)
    assert raw.class_names == ["x", "y"]


@pytest.mark.parametrize(
    ("labels", "names", "read"),
    [
        ([0, 1, 2] * 10, ["0", "1", "2"], [0, 1, 2]),
        ([0.0, 1.0, 2.0] * 10, ["0", "1", "2"], [0, 1, 2]),
        (["class 10", "class 2", "class 1"] * 10, ["class 1", "class 2", "class 10"], [2, 1, 0]),
        (["01", "10", ""] * 10, [str(i) for i in range(11)], [1, 10, -1]),
        ([True, False, True] * 10, ["False", "True"], [1, 0, 1]),
    ],
)
@pytest.mark.parametrize("path", ["mine.csv", "mine.parquet"])
def test_labels_of_a_table(path: str, labels: list[Any], names: list[str], read: list[int]) -> None:
    write(table(labels=labels), path)
    raw = features.load(path=path)
    assert raw.class_names == names and raw.labels is not None and raw.labels.tolist()[:3] == read


def holed(value: float) -> np.ndarray:
    found = values()
    found[7, 2] = value
    return found


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_what_is_no_finite_number_is_refused_by_row_and_column(value: float) -> None:
    np.savez("mine.npz", features=holed(value), labels=np.arange(N) % 3)
    with pytest.raises(UserError, match=r"^mine.npz: 1 features are no finite numbers, first \S+ in row 7, column 2 "):
        features.load(path="mine.npz")
    write(table(c=holed(value)[:, 2]), "mine.csv")  # its first line names the columns: row 7 is line 9
    with pytest.raises(UserError, match=r"^mine.csv: 1 features are no finite numbers, first \S+ in row 9, column 'c'"):
        features.load(path="mine.csv")
    write(table(c=holed(value)[:, 2]), "mine.parquet")
    with pytest.raises(UserError, match=r"^mine.parquet: .* in row 7, column 'c'"):
        features.load(path="mine.parquet")


REFUSED = {
    r"mine.csv: column 'colour' holds what is no number, such as 'red'": table(colour=["1", "red", "2"] * 10),
    r"mine.csv: has no column 'labels' or 'noisy_labels'; it holds 'a', 'b', 'c', 'd': labels_column": table().drop(
        columns="labels"
    ),
    r"mine.csv: has no column of features": table()[["labels"]],
    r"mine.csv: 1 class, at least 2": table(labels="cat"),
    r"mine.csv: labels reach 5000000": table(labels=[0, 1, 5_000_000] * 10),
}


@pytest.mark.parametrize("message", list(REFUSED))
def test_what_is_wrong_with_a_table_is_said_with_the_file(message: str) -> None:
    write(REFUSED[message], "mine.csv")
    with pytest.raises(UserError, match=f"^{message}") as error:
        features.load(path="mine.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,0\n3,4,1\n", "the first line must name the columns"),
        ("a,a,labels\n1,2,0\n3,4,1\n", "two columns are called 'a'"),
        ("a,b,labels\n1,2,0\n3,1\n", "cannot be read"),
        ("", "the first line must name the columns"),
        ("a,labels\n\xff,0\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(text: str, message: str) -> None:
    Path("mine.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=f"^mine.csv: .*{message}") as error:
        features.load(path="mine.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"images": values()}, "has no features; it holds 'labels', 'images'"),
        ({"features": values()[..., None]}, r"features are float64 of shape \(30, 4, 1\)"),
        ({"features": np.full((N, 2), "a")}, "features are <U1"),
        ({"features": values()[:9]}, r"labels have shape \(30,\), there are 9 examples"),
    ],
)
def test_what_is_wrong_with_an_npz_is_said(members: dict[str, Any], message: str) -> None:
    np.savez("mine.npz", labels=np.arange(N) % 3, **members)
    with pytest.raises(UserError, match=f"^mine.npz: .*{message}"):
        features.load(path="mine.npz")


def raw(of: np.ndarray, **changes: Any) -> RawData:
    given = {"labels": np.arange(len(of)) % 3, "noisy_labels": None, "split": np.full(len(of), "")}
    return RawData(of, **{**given, **changes}, class_names=["a", "b", "c"])


def test_they_are_split_and_written_and_come_back(tmp_path: Path) -> None:
    split = np.array(["train"] * 15 + ["validation"] * 6 + ["test"] * 9)
    canonical = make_dataset(raw(values(), split=split), split_seed=0, validation=0.2, test=0.2)
    write_dataset(canonical, tmp_path)
    training = read_training(tmp_path)
    np.testing.assert_array_equal(training.images, values()[:21])
    assert training.meta["shape"] == [D] and training.meta["n_train"] == 15


def test_a_batch_is_standardised_by_the_training_part_alone() -> None:
    given = values()
    given[:, 3] = 0.1  # never varies, and its mean is no exact number
    statistics = statistics_of(given[:20])
    batch = on_device(given, 0, statistics, CPU).plain(torch.arange(N)).numpy()
    train = batch[:20].astype(np.float64)
    np.testing.assert_allclose(train[:, :3].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train[:, :3].std(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(batch[:, 3], 0, atol=1e-6)
    expected = (given[20:, :3] - given[:20, :3].mean(axis=0)) / given[:20, :3].std(axis=0)
    np.testing.assert_allclose(batch[20:, :3], expected, rtol=1e-5, atol=1e-6)
    assert batch.dtype == np.float32 and input_shape(given) == (D,)


def test_large_numbers_of_a_small_spread_keep_it() -> None:
    seconds = 1.7e9 + np.arange(4.0)[:, None]  # as float32 they would be one number
    batch = on_device(seconds, 0, statistics_of(seconds), CPU).plain(slice(None))
    np.testing.assert_allclose(batch[:, 0], (np.arange(4) - 1.5) / np.sqrt(1.25), rtol=1e-6)


def test_few_different_rows_may_repeat_in_the_test_part_and_are_counted() -> None:
    split = np.array(["train"] * 20 + ["test"] * 10)
    yes_no = (np.arange(N) % 2).astype(np.float64)[:, None]
    canonical = make_dataset(raw(yes_no, split=split), split_seed=0, validation=0.2, test=0.2)
    assert canonical.test.meta["notes"][0] == "10 of 10 test examples are copies of train or validation examples"
    copied = values()
    copied[20:] = copied[:10]
    with pytest.raises(UserError, match="10 of 10 test examples are copies"):
        make_dataset(raw(copied, split=split), split_seed=0, validation=0.2, test=0.2)


def test_instance_dependent_noise_follows_the_features_and_not_their_units() -> None:
    def drawn(of: np.ndarray) -> np.ndarray:
        n = len(of)
        rest = {"part": np.zeros(n, np.uint8), "source_index": np.arange(n)}
        context = NoiseContext("features", 3, ["a", "b", "c"], of, np.arange(n) % 3, None, **rest)
        return draw("instance_dependent", context, rate=0.4, noise_seed=0, options={}).labels

    given = values(3000)
    labels = drawn(given)
    assert abs((labels != np.arange(3000) % 3).mean() - 0.4) < 0.03
    np.testing.assert_array_equal(labels, drawn(given * [1, 1000, 0.01, 5] + [0, 5, -3, 100]))
    assert (labels != drawn(given[::-1])).any()


def content(**changes: Any) -> dict[str, Any]:
    write(table(), "mine.csv")
    return {
        "name": "mine",
        "datasets": {"mine": {"kind": "features", "path": "mine.csv"}},
        "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
        "recipes": {"small": {"architecture": "mlp", "epochs": 1}},
        "methods": ["cross_entropy"],
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"recipes": {"small": {"architecture": "cnn", "epochs": 1}}},
            "config: recipes.small.architecture: cnn takes images, and data set mine holds features; for features: "
            "linear, mlp",
        ),
        (
            {"datasets": {"mine": {"kind": "digits"}}},
            "config: recipes.small.architecture: mlp takes features, and data set mine holds images; for images: cnn, ",
        ),
        (
            {"recipes": {"small": {"architecture": "linear", "epochs": 1, "augmentation": {"flip": True}}}},
            "config: recipes.small.augmentation: data set mine holds features, which have no pixels",
        ),
    ],
)
def test_what_does_not_fit_features_is_refused_before_anything_runs(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        load_grid(content(**changes))
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_where_a_file_lies_is_no_part_of_its_identity_and_which_columns_are_features_is() -> None:
    def identity(**options: Any) -> str:
        datasets = {"mine": {"kind": "features", "path": "mine.csv", **options}}
        return next(iter(load_grid(content(datasets=datasets)).datasets.values())).identity

    write(table(), "other.csv")
    assert identity() == identity(path="other.csv") != identity(leave_out=["a"])
