"""What the tables of a grid say of its data sets, from as much of them as has been made."""

from pathlib import Path
from typing import Any

import pytest

from configs import config
from smearlab.grid.cells import load_grid
from smearlab.stages.collect import collect
from smearlab.store.files import read_json, write_sealed

TRAINING, TEST = "2 of 3 classes have no validation example", "1 of 3 classes have no test example"


@pytest.mark.parametrize(
    "training, test, notes, n_test",
    [
        ({"notes": [TRAINING]}, {"n": 7, "sha256": "a", "notes": [TEST]}, [TRAINING, TEST], 7),
        ({"notes": []}, {"n": 7, "sha256": "a", "notes": [TEST]}, [TEST], 7),
        ({"notes": [TRAINING]}, {"n": 7, "sha256": "a"}, [TRAINING], 7),  # as 0.1.0 wrote it
        ({"notes": None}, {"n": 7, "sha256": "a", "notes": None}, [], 7),
        ({"notes": [TRAINING]}, None, [TRAINING], None),
        (None, {"n": 7, "sha256": "a", "notes": [TEST]}, [TEST], 7),
        (None, None, [], None),
    ],
)
def test_notes_of_both_parts_of_a_data_set_are_told(
    training: dict[str, Any] | None, test: dict[str, Any] | None, notes: list[str], n_test: int | None, tmp_path: Path
) -> None:
    grid = load_grid(config())
    (dataset,) = grid.datasets.values()
    for name, said in (("training", training), ("test", test)):
        if said is not None:
            (tmp_path / "data" / dataset.id).mkdir(parents=True, exist_ok=True)
            write_sealed(tmp_path / "data" / dataset.id / f"{name}.json", said)
    (tmp_path / "out").mkdir()
    collect(grid, tmp_path / "out", results=tmp_path)
    (facts,) = read_json(tmp_path / "out" / "context.json")["datasets"].values()
    assert (facts["notes"], facts["n_test"]) == (notes, n_test)
