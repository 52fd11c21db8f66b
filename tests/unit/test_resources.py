"""What a training asks for follows from its recipe, and the SLURM profile repeats the default one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from smearlab.grid.cells import Cell, load_grid
from smearlab.grid.plan import training_minutes
from smearlab.grid.resources import evaluation_resources, length, training_resources

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "profiles"


def cell(dataset: str = "digits", **recipe: Any) -> Cell:
    """The one cell of a small grid."""
    grid = load_grid(
        {
            "name": "one",
            "datasets": {"data": {"kind": dataset}},
            "noises": {"symmetric": {"kind": "symmetric", "rates": [0.2]}},
            "recipes": {"only": {"architecture": "cnn", "epochs": 30, **recipe}},
            "methods": [{"name": "cross_entropy"}],
        }
    )
    (found,) = grid.cells.values()
    return found


def profile(name: str) -> dict[str, Any]:
    """The settings of a profile."""
    return yaml.safe_load((PROFILES / name / "profile.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("attempt", [2, 3])
@pytest.mark.parametrize("ask", [training_resources, evaluation_resources])
def test_memory_and_time_grow_with_the_attempt_and_nothing_else_does(ask: Any, attempt: int) -> None:
    first, later = ask(cell(), 1), ask(cell(), attempt)
    grown = {"mem_mb", "runtime"}
    assert {key for key in first if first[key] != later[key]} == grown
    assert all(later[key] == attempt * first[key] for key in grown)


def test_run_time_is_that_of_the_plan_with_room_to_spare() -> None:
    for recipe in ({"epochs": 30}, {"epochs": 3000}, {"epochs": 300, "architecture": "resnet20"}):
        asked = training_resources(cell(**recipe))["runtime"]
        assert training_minutes(cell(**recipe)) * 3 <= asked <= training_minutes(cell(**recipe)) * 3 + 5


def test_threads_are_the_recipes_and_a_gpu_is_asked_for_where_it_names_cuda() -> None:
    assert training_resources(cell(threads=3))["threads"] == 3
    assert [training_resources(cell(device=name))["gpu"] for name in ("auto", "cpu", "cuda")] == [0, 0, 1]


def test_larger_data_asks_for_more_memory() -> None:
    assert training_resources(cell("cifar10"))["mem_mb"] > training_resources(cell())["mem_mb"] + 1000


def test_blocks_are_packed_by_their_length() -> None:
    assert length(cell(epochs=3)) == "short"
    assert length(cell(epochs=3000)) == "medium"
    assert length(cell(epochs=300000)) == "long"


def test_the_slurm_profile_repeats_the_default_one() -> None:
    slurm = profile("slurm")
    assert {key: slurm.get(key) for key in profile("default")} == profile("default")


def test_every_group_that_a_rule_may_ask_for_is_packed_or_long() -> None:
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    names = set(re.findall(r'packed\("\w+", "(\w+)"\)', rules))
    assert names == {"estimates", "teachers", "students", "evaluations"}
    packs = profile("slurm")["group-components"]
    for name in names:
        assert name in packs or {f"{name}-short", f"{name}-medium"} <= packs.keys()
    assert {pack.partition("-")[0] for pack in packs} == names


def test_retries_stand_in_the_profile_and_in_no_rule_that_runs_on_the_cluster() -> None:
    """Retries of a rule are used up inside the SLURM job as well."""
    assert profile("slurm")["retries"] >= 1
    assert not [p.name for p in (ROOT / "workflow" / "rules").glob("*.smk") if "  retries:" in p.read_text("utf-8")]


@pytest.mark.parametrize(("file", "rule"), [("data", "make_dataset"), ("labels", "make_labels")])
def test_a_fault_of_the_data_is_told_once_whatever_the_profile_repeats(file: str, rule: str) -> None:
    text = (ROOT / "workflow" / "rules" / f"{file}.smk").read_text(encoding="utf-8")
    assert re.search(rf"^rules\.{rule}\.rule\.restart_times = 0\b", text, re.MULTILINE)
    assert re.search(r"^    localrule: True$", text, re.MULTILINE)


def test_the_warning_before_the_time_limit_does_not_end_snakemake() -> None:
    rules = (ROOT / "workflow" / "rules" / "common.smk").read_text(encoding="utf-8")
    assert "--signal=USR1@" in profile("slurm")["default-resources"]["slurm_extra"]
    assert "signal.signal(signal.SIGUSR1, signal.SIG_IGN)" in rules


@pytest.mark.parametrize("switched_off", ["{gpu: 1}", '{gpu: 0, gres: "gpu:1"}'])
def test_the_gpu_switch_reaches_every_rule_that_loads_torch(switched_off: str) -> None:
    """Without the other of the two lines, the switch is a valid profile as it stands."""
    text = (PROFILES / "slurm" / "profile.yaml").read_text(encoding="utf-8")
    before, switch = text.split("# set-resources:\n")
    lines = switch.splitlines()
    block = ["set-resources:", *(line[2:] for line in lines[: lines.index("")] if switched_off not in line)]
    asked = yaml.safe_load("\n".join([before, *block, *lines[lines.index("") :]]))["set-resources"]
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    with_gpu = {part.partition(":")[0] for part in rules.split("\nrule ")[1:] if "gpu=" in part}
    assert set(asked) == with_gpu
    assert all(value == asked["train_teacher"] for value in asked.values())
