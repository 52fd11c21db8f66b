"""Only what smearlab wrote and no config names is listed, and it is removed only when that is asked for."""

import json
import os
from pathlib import Path

import pytest
import yaml
from made_grid import make, of

from configs import config
from smearlab.__main__ import main
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.host.runlock import _myself
from smearlab.watch.clean import clean

OTHER = config(("name", "second"), ("recipes.small.epochs", 3))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the results of two grids, of which only the first is named by a config."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(yaml.safe_dump(config()), encoding="utf-8")
    make(load_grid(config()))
    make(load_grid(OTHER))
    for path in ("data/own.npz", "reports/published/x/report.html", "results/notes.txt"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("mine")
    return tmp_path


def files() -> set[str]:
    return {str(path) for path in Path().rglob("*") if path.is_file() and ".snakemake" not in path.parts}


def test_listing_removes_nothing_and_names_what_is_left_over(folder):
    before = files()
    told = list(clean())
    assert files() == before
    assert any(line.endswith("results/second") for line in told)
    trained = [line for line in told if "results/teachers/" in line]
    assert len(trained) == 8 and told[-1].endswith("nothing is removed without --remove")


def test_removal_takes_the_unnamed_and_nothing_else(folder):
    named = {path for node in make(load_grid(config())) for path in (*node.outputs, node.log, node.benchmark) if path}
    list(clean(remove=True))
    left = files()
    assert named <= left
    mine = {
        "config.yaml",
        "data/own.npz",
        "reports/published/x/report.html",
        "results/notes.txt",
        "reports/second.html",
    }
    assert {path for path in left - named if not path.startswith(".smearlab")} == mine
    assert not Path("results/second").exists()
    assert list(clean()) == ["nothing is there that no config names"]


def test_a_config_that_is_given_names_its_cells(folder):
    Path("elsewhere.yaml").write_text(yaml.safe_dump(OTHER), encoding="utf-8")
    assert list(clean(["elsewhere.yaml"])) == ["nothing is there that no config names"]


@pytest.mark.parametrize("text", ["name: [", "name: x\nunknown: 1\n", "- 1\n"])
def test_a_config_that_cannot_be_read_stops_everything(folder, text, capsys):
    Path("configs").mkdir()
    Path("configs/broken.yaml").write_text(text, encoding="utf-8")
    before = files()
    assert main(["clean", "--remove"]) == 1
    printed = capsys.readouterr()
    assert files() == before and printed.out == "" and len(printed.err.splitlines()) == 1
    assert "configs/broken.yaml" in printed.err


def test_a_config_whose_data_are_not_here_keeps_all_results_of_its_data_sets(folder):
    Path("configs").mkdir()
    content = {**OTHER, "name": "third", "datasets": {"digits": {"kind": "arrays", "path": "data/absent.npz"}}}
    Path("configs/absent.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    told = list(clean())
    assert "data sets named digits are kept" in told[0]
    assert not any("results/teachers" in line for line in told)


def test_a_unit_with_something_of_another_kind_is_left_alone(folder):
    node = of(make(load_grid(OTHER)), "train_teacher")
    Path(node.outputs[0]).with_name("mine.txt").write_text("mine")
    told = list(clean(remove=True))
    assert any(line.startswith(f"left alone: results/{node.name}") for line in told)
    assert all(Path(path).exists() for path in node.outputs)


def test_links_are_not_followed(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "teachers"
    Path("results/teachers").rename(outside)
    Path("results/teachers").symlink_to(outside)
    told = list(clean(remove=True))
    assert "left alone: results/teachers is a link" in told
    assert len(list(outside.rglob("run.json"))) == 16


def test_results_that_are_a_link_are_left_alone(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "results"
    Path("results").rename(outside)
    Path("results").symlink_to(outside)
    assert "left alone: results is a link" in list(clean(remove=True))
    assert (outside / "second").exists()


def test_it_refuses_while_a_run_lives(folder, monkeypatch):
    monkeypatch.setattr("smearlab.watch.leftovers.running_here", lambda where: [7])
    with pytest.raises(UserError, match=r"a run is going on here \(process 7\)"):
        list(clean(remove=True))
    assert list(clean())


def test_it_refuses_while_a_training_lives(folder):
    node = of(make(load_grid(OTHER)), "train_teacher")
    path = Path(".smearlab/checkpoints", node.cell.key, f"{node.block}.checkpoint.lock")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(_myself()), encoding="utf-8")
    with pytest.raises(UserError, match=f"a training lives \\(process {os.getpid()}"):
        list(clean(remove=True))
    path.write_text(json.dumps({**_myself(), "started": "1"}), encoding="utf-8")
    list(clean(remove=True))
    assert not path.exists()
