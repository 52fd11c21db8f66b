"""The command line: checks, lists, explains and plans a grid without running it."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from configs import TINY, config
from smearlab.cli.parser import main
from smearlab.core.errors import UserError
from smearlab.grid.find import find_grid

COMMANDS = ("check", "explain", "plan", "status")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two configs."""
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("config.yaml").write_text(yaml.safe_dump(config()), encoding="utf-8")
    Path("configs/other.yaml").write_text(yaml.safe_dump(config(("name", "second"))), encoding="utf-8")
    return tmp_path


def test_a_grid_is_found_by_its_name_or_its_file(folder):
    assert find_grid("tiny").name == "tiny" and find_grid("second").name == "second"
    assert find_grid("configs/other.yaml").name == "second"


def test_a_name_that_two_configs_have_is_refused_and_a_file_is_not(folder):
    Path("configs/copy.yaml").write_text(yaml.safe_dump(config(("margin", 1.0))), encoding="utf-8")
    with pytest.raises(UserError, match=r"^config\.yaml, configs/copy\.yaml have the name 'tiny': give the file"):
        find_grid("tiny")
    assert find_grid("configs/copy.yaml").config.margin == 1.0 and find_grid("second").name == "second"


def test_a_name_that_no_config_has_is_refused_with_the_nearest(folder):
    with pytest.raises(UserError, match="no config has the name 'secnod'; did you mean 'second'"):
        find_grid("secnod")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_fault_is_one_line_and_exit_code_1(folder, capsys, command):
    assert main([command, "nowhere.yaml"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "config nowhere.yaml: No such file or directory\n" and printed.out == ""


def test_check_counts_cells(folder, capsys):
    assert main(["check", "tiny"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "tiny: 12 named cells, 10 computations"  # forward and backward without noise


def test_check_says_which_index_is_which_class(folder, capsys):
    names = sorted(str(i) for i in range(1, 13))
    images = np.arange(48, dtype=np.uint8)[:, None, None] + np.zeros((48, 8, 8), np.uint8)
    np.savez("own.npz", images=images, labels=np.arange(48) % 12, class_names=np.array(names))
    config = {**TINY, "datasets": {"own": {"kind": "arrays", "path": "own.npz"}}}
    Path("config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert main(["check", "config.yaml"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("  own: 12 classes, sorted as text, not as numbers: 0 = 1, 1 = 10, 2 = 11, 3 = 12, 4 = 2,")


def test_check_says_every_fault(folder, capsys):
    Path("config.yaml").write_text(yaml.safe_dump({**TINY, "margin": -1, "keep": "all"}), encoding="utf-8")
    assert main(["check", "config.yaml"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_list_shows_every_option(folder, capsys):
    assert main(["list", "methods"]) == 0
    printed = capsys.readouterr().out
    assert "label_smoothing: Label smoothing" in printed and "alpha: " in printed and "noises" not in printed


def test_list_shows_every_kind(folder, capsys):
    assert main(["list"]) == 0
    assert {"methods:", "noises:", "datasets:", "estimators:"} <= set(capsys.readouterr().out.splitlines())


def test_the_plan_names_blocks_and_hours(folder, capsys):
    assert main(["plan", "tiny"]) == 0
    assert "10 blocks" in capsys.readouterr().out
