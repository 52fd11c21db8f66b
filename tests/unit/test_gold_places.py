"""Gold sets that name examples by their files: a folder of class folders, or a table of paths, become rows."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES
from smearlab.store import gold
from smearlab.store.gold_places import table_of_rows

NAMES = ["train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "train/dog/3.png", "test/dog/9.png"]
CLASSES = ["cat", "dog"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(b"")


def rows(path: str) -> dict[int, str]:
    with open(path, encoding="utf-8", newline="") as file:
        return {int(row["row"]): row["label"] for row in csv.DictReader(file)}


def made(path: str) -> dict[int, str]:
    return rows(table_of_rows(path, CLASSES, lambda: NAMES))


def test_a_file_in_a_class_folder_is_the_example_of_its_name() -> None:
    touch("gold/cat/9.png", "gold/dog/2.png", "gold/dog/.DS_Store")
    assert made("gold") == {1: "dog", 4: "cat"}


def test_a_name_that_two_classes_share_is_told_apart_by_its_folders() -> None:
    touch("gold/dog/cat/1.png", "gold/cat/dog/1.png", "gold/cat/cat/2.png")
    assert made("gold") == {0: "dog", 1: "cat", 2: "cat"}
    touch("other/dog/1.png")
    with pytest.raises(UserError, match=r"1 of 1 are no files of the data, or stand for several: '1.png'"):
        made("other")


@pytest.mark.parametrize(
    "paths", [["9.png", "2.png"], ["test/dog/9.png", "./train/cat/2.png"], ["a\\dog\\9.png", "b/cat/2.png"]]
)
def test_a_table_of_paths_is_matched_however_they_are_written(paths: list[str]) -> None:
    Path("mine.csv").write_text(f"path;label\n{paths[0]};cat\n{paths[1]};\n", encoding="utf-8")
    assert made("mine.csv") == {1: "", 4: "cat"}


def test_a_table_of_rows_stays_the_file_that_it_is() -> None:
    Path("mine.csv").write_text("row,path,label\n0,9.png,cat\n", encoding="utf-8")
    assert table_of_rows("mine.csv", CLASSES, lambda: NAMES) == "mine.csv"


WRONG = {
    "gold/cow/9.png: 9.png: 'cow' is no class": ["gold/cow/9.png"],
    "gold: 1 of 2 are no files of the data, or stand for several: '7.png'": ["gold/cat/9.png", "gold/cat/7.png"],
    "gold: test/dog/9.png stands there twice, again as '9.png'": ["gold/cat/9.png", "gold/dog/9.png"],
    "gold/9.png: a gold set is gold/CLASS/FILE, and this file has no class folder": ["gold/9.png"],
    "gold: holds no files; a gold set is gold/CLASS/FILE": ["gold/.hidden"],
}


@pytest.mark.parametrize("message", WRONG)
def test_what_is_no_gold_set_of_the_data_is_refused_in_one_line(message: str) -> None:
    touch(*WRONG[message])
    with pytest.raises(UserError) as error:
        made("gold")
    assert message.removeprefix("gold/cow/9.png: ") in str(error.value) and "\n" not in str(error.value)


def test_names_where_the_data_have_none() -> None:
    touch("gold/cat/9.png")
    with pytest.raises(UserError, match="give rows"):
        table_of_rows("gold", CLASSES, list)


def content(**dataset: Any) -> dict[str, Any]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        path = Path("pets", "train" if i < 8 else "test", CLASSES[i % 2], f"{i}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return {
        "name": "own",
        "datasets": {"pets": {"kind": "folder", "path": "pets", "labels": "noisy", **dataset}},
        "noises": {"given": {"kind": "labels"}},
        "recipes": {"small": {"architecture": "cnn", "epochs": 1}},
        "methods": ["cross_entropy"],
    }


def test_the_folder_beside_the_data_is_found_and_moves_no_result() -> None:
    plain = load_grid(content())
    assert plain.definitions.datasets[0].gold_table is None
    touch("pets/gold/cat/9.png")
    grid = load_grid(content())
    (dataset,) = grid.definitions.datasets
    assert dataset.gold == "pets/gold" and dataset.id == plain.definitions.datasets[0].id
    assert rows(str(dataset.gold_table)) == {11: "cat"}
    stage = STAGES["collect"]
    assert stage.reads(next(stage.subjects(grid)))["gold"] == [dataset.gold_table]
    touch("pets/gold/dog/8.png")
    changed = load_grid(content()).definitions.datasets[0]
    assert changed.gold_table != dataset.gold_table  # so that the tables are made anew


def test_a_folder_that_is_named_in_the_config_and_absent_is_refused() -> None:
    with pytest.raises(UserError, match=r"config: datasets\.pets\.gold: no/such: no such file"):
        load_grid(content(gold="no/such"))


def test_a_label_given_is_held_against_the_data_only_where_these_have_one() -> None:
    entry = gold.Entry(2, 0, "", "test", "cat", "", 0, 1)
    gold.check_gold("gold.csv", [entry], {0: gold.Example("test", -1)}, ["cat", "dog"])
    with pytest.raises(UserError, match="made for other data"):
        gold.check_gold("gold.csv", [entry], {0: gold.Example("test", 1)}, ["cat", "dog"])
