"""Times stand apart: no result holds one, and only the cost of a grid is made from them."""

from pathlib import Path

import pytest
from made_grid import make
from tiny_training import FILES, job, train

from configs import config
from smearlab.cli.cost import lines, speeds, stages
from smearlab.grid.cells import Grid, load_grid
from smearlab.host.processor import processor
from smearlab.store.files import read_json, write_json
from smearlab.store.timings import TIMED, TIMINGS, read_timings


@pytest.fixture
def grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    """A finished grid of 5 s and 900 images/s a network, in the folder in which the test works."""
    monkeypatch.chdir(tmp_path)
    grid = load_grid(config())
    make(grid)
    return grid


def test_two_trainings_leave_the_same_files_but_for_the_times(tmp_path: Path) -> None:
    for name in ("one", "other"):
        train(job(), tmp_path / name)
    for file in FILES.values():
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    said = read_timings(tmp_path / "one" / FILES["run"])
    assert [entry["train_seconds"] > 0 and len(entry["epochs"]) for entry in said["replicates"]] == [3, 3]
    assert said["machine"]["processor"] == processor() and said["machine"]["instruction_set"]
    assert not set(TIMED) & read_json(tmp_path / "one" / FILES["run"])["replicates"][0].keys()


def test_the_cost_is_made_from_the_times(grid: Grid) -> None:
    trained = next(stage for stage in stages(grid) if stage["stage"] == "teachers")
    assert trained["jobs"] == trained["of"] and trained["seconds"] == 12.5 * trained["of"]
    assert {found["machine"] for found in speeds(grid)} == {"made up"}
    assert {(found["images_per_second"], found["train_seconds"]) for found in speeds(grid)} == {(900.0, 5.0)}
    assert any("median 900 images/s and 5.0 s of training" in line for line in lines(grid))


def test_times_that_0_1_0_wrote_among_the_results_are_read(grid: Grid) -> None:
    for path in Path("results").rglob(TIMINGS):
        run = path.with_name("run.json")
        write_json(run, {"replicates": read_json(path)["replicates"], "environment": {"device": "an old one"}})
        path.unlink()
    assert {(found["machine"], found["train_seconds"]) for found in speeds(grid)} == {("an old one", 5.0)}


@pytest.mark.parametrize("content", ["", "[]", '{"replicates": 3}', '{"replicates": {}, "machine": 1}'])
def test_times_that_cannot_be_read_cost_nothing_else(content: str, grid: Grid) -> None:
    for path in Path("results").rglob(TIMINGS):
        path.write_text(content)
    assert all(found["machine"] in ("", "made up") for found in speeds(grid))
    assert next(lines(grid)).startswith(f"{grid.name}: wall time")


@pytest.mark.parametrize(
    ("text", "found"), [("processor\t: 0\nmodel name\t: A Chip @ 2 GHz\n", "A Chip @ 2 GHz"), ("processor: 0\n", None)]
)
def test_the_processor_s_model_is_what_its_system_calls_it(text: str, found: str | None, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    assert processor(tmp_path / "cpuinfo") == (found or processor(tmp_path / "absent"))
