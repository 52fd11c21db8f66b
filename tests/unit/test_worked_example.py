"""The worked example: its data are the same everywhere, its commands are there, its numbers those of its tables."""

import pandas as pd
import pytest

from examples import noisy_digits
from smearlab.store.files import sha256_file

IMAGES_SHA256 = "dd09c7fc7ba859531ca4cd48661e50bf234d7c346090d065d6eb9f77d8abe487"
TRUTH_SHA256 = "6c9c05e9410551a4de13a4ee3a593bf7b7d02e3ef09c32e65bc7a1358a4317a4"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A working folder with the example's data."""
    monkeypatch.chdir(tmp_path)
    noisy_digits.make()
    return tmp_path


def test_the_annotator_is_wrong_on_about_a_quarter_and_has_seen_none_of_the_images():
    images, true, given = noisy_digits.annotated()
    assert len(images) == 1777 and (true != given).sum() == 475
    assert set(true) == set(given) == set(range(10))


def test_the_example_makes_the_same_bytes(made):
    assert sha256_file(made / noisy_digits.IMAGES) == IMAGES_SHA256
    assert sha256_file(made / noisy_digits.TRUTH) == TRUTH_SHA256


def test_filling_in_a_drawn_table_takes_the_truth_and_leaves_the_rest(made):
    drawn = pd.DataFrame({"row": [3, 1], "path": ["", ""], "given": [0, 0], "label": ["", ""]})
    drawn.to_csv("drawn.csv", index=False)
    noisy_digits.label("drawn.csv")
    filled, truth = pd.read_csv("drawn.csv"), pd.read_csv(noisy_digits.TRUTH)["label"]
    assert filled["label"].tolist() == truth[[3, 1]].tolist()
    assert filled["row"].tolist() == [3, 1] and filled["given"].tolist() == [0, 0]
