"""Only what smearlab wrote and no config names is listed, and it is removed only when that is asked for."""

import itertools
import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from made_grid import make, note_path, of, run_of

from configs import config
from smearlab.cli.parser import main
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.host.runlock import _myself
from smearlab.store.files import write_sealed
from smearlab.store.timings import TIMINGS
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
    nodes = make(load_grid(config()))
    named = {path for node in nodes for path in (*node.outputs, node.log, node.benchmark) if path}
    named |= {str(Path(node.outputs[-1]).with_name(TIMINGS)) for node in nodes if node.trains}
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
    monkeypatch.setattr("smearlab.watch.living.running_here", lambda where: [7])
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


def rename_hash(node, path: str, *, without: str = "") -> str:
    """Leave a training as a version left it that hashes its recipe otherwise, and knows one key less; its account."""
    recipe = node.cell.recipe.id
    account = path.replace(recipe, f"{recipe.rpartition('-')[0]}-00000000")
    said = {key: value for key, value in run_of(node).items() if key != "checksum"}
    said["recipe"] = {key: value for key, value in said["recipe"].items() if key != without}
    write_sealed(account, said)
    return account


@pytest.fixture
def earlier(folder):
    """What an earlier version left of a block that config.yaml names, without Snakemake's note."""
    node = of(make(load_grid(config())), "train_teacher", "rate=0.4")
    return Path(rename_hash(node, node.outputs[-1], without="history_examples"))


def after(told: list[str], beginning: str) -> list[str]:
    """Return the entries below a sentence."""
    start = next(k for k, line in enumerate(told) if line.startswith(beginning))
    return list(itertools.takewhile(lambda line: line.startswith(" "), told[start + 1 :]))


def test_what_an_earlier_version_made_of_the_same_settings_is_kept_and_said_to_be_that(earlier):
    sentence = "made by an earlier version from the settings of config.yaml, but for recipe.history_examples"
    (entry,) = after(list(clean()), sentence)
    assert entry.endswith(str(earlier.parent))
    told = list(clean(remove=True))
    assert earlier.exists() and told[-1].endswith("removed; 1 made by an earlier version are kept")


def test_it_is_removed_only_when_that_is_asked_for(earlier):
    list(clean(remove=True, earlier=True))
    assert not earlier.exists()
    assert list(clean()) == ["nothing is there that no config names"]


def test_other_settings_are_no_earlier_version(folder):
    node = of(make(load_grid(config())), "train_teacher", "rate=0.4")
    account = Path(rename_hash(node, node.outputs[-1]))
    said = json.loads(account.read_text(encoding="utf-8"))
    del said["checksum"], said["file"]
    write_sealed(account, {**said, "recipe": {**said["recipe"], "batch_size": 64}})
    list(clean(remove=True))
    assert not account.exists()


def test_of_a_data_set_snakemakes_note_says_the_settings(folder):
    node = of(make(load_grid(config())), "make_dataset")
    contents = {key: value for key, value in node.decide()["contents"].items() if key != "fingerprint"}
    for path in node.outputs:
        other = Path(path).parent.with_name("digits-00000000") / Path(path).name
        other.parent.mkdir(exist_ok=True)
        other.write_text("{}", encoding="utf-8")
        note_path(str(other)).write_text(json.dumps(record({**node.decide(), "contents": contents})), encoding="utf-8")
    beginning = "made by an earlier version from the settings of config.yaml, but for contents.fingerprint"
    assert [line.split()[-1] for line in after(list(clean()), beginning)] == ["results/data/digits-00000000"]


def record(params: dict) -> dict:
    return {"params": [repr(params)], "record_format_version": 6}


def test_results_of_the_same_names_with_other_settings_are_listed_apart(folder):
    apart = after(list(clean()), "of names that config.yaml uses, with other settings")
    assert len([line for line in apart if "results/teachers/" in line]) == 8


def test_an_alpha_that_is_asked_no_more_is_not_of_other_settings(folder):
    for path in [*Path("results").glob("second*"), *Path("logs").glob("second*")]:
        shutil.rmtree(path)
    fewer = config(("methods.1.alphas", [0.1]))
    Path("config.yaml").write_text(yaml.safe_dump(fewer), encoding="utf-8")
    told = list(clean())
    plain = itertools.takewhile(lambda line: line.startswith(" "), told)
    assert {line.split("rate=")[1] for line in plain if "results/teachers/" in line} == {
        f"{rate}/{small()}/label_smoothing-alpha=0.4/paired-0" for rate in ("0.0", "0.4")
    }


def small() -> str:
    return next(iter(load_grid(config()).cells.values())).recipe.id
