"""Jobs: what is recorded of one gives it back and says nothing of later keys that are neutral; each has its stage."""

import importlib
import inspect
import json
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from configs import config
from smearlab.core import jobs
from smearlab.core.jobs import Augmentation, Replicate, TrainingJob, later, plain, typed
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import STAGES

STAGES_FOLDER = Path(__file__).parents[2] / "smearlab" / "stages"
KINDS = {name: form for name, form in vars(jobs).items() if is_dataclass(form) and name.endswith("Job")}


def jobs_of(rule: str) -> list[Any]:
    """Return the jobs of a rule in a grid that has some of every rule."""
    methods = [
        {"name": "label_smoothing", "alphas": [-0.5], "warm_up": 0.5},
        {"name": "forward", "transition": "estimated(anchor, percentile=0.9)"},
        {"name": "gce", "q": 0.5},
    ]
    grid = load_grid(config(("methods", methods), ("students.0.teachers", ["gce"])))
    return [STAGES[rule].job(subject) for subject in STAGES[rule].subjects(grid)]


def form_of(rule: str) -> type:
    """Return the dataclass that a stage says it is told by."""
    run = importlib.import_module(f"smearlab.stages.{rule}").run
    return get_type_hints(run)["job"]


@pytest.mark.parametrize("rule", STAGES)
def test_what_is_recorded_of_a_job_gives_it_back(rule: str) -> None:
    form, found = form_of(rule), jobs_of(rule)
    assert found
    for job in found:
        recorded = plain(job)
        assert type(job) is form
        assert typed(form, recorded) == job
        assert plain(typed(form, recorded)) == recorded
        assert typed(form, json.loads(json.dumps(recorded))) == job  # nothing in it but plain values


def test_the_grid_above_has_every_kind_of_job() -> None:
    assert {form_of(rule) for rule in STAGES} == set(KINDS.values())


def test_parts_of_a_job_are_typed_too() -> None:
    job = typed(TrainingJob, plain(jobs_of("train_teacher")[0]))
    assert all(isinstance(replicate, Replicate) for replicate in job.replicates)
    assert isinstance(job.recipe.augmentation, Augmentation)
    assert isinstance(job.recipe.optimiser, dict)  # a choice stays one: its keys are those of its entry


@pytest.mark.parametrize("form", KINDS.values(), ids=KINDS)
def test_a_job_cannot_be_changed(form: type) -> None:
    job = form(**{field.name: None for field in fields(form)})
    with pytest.raises(FrozenInstanceError):
        job.code = "another"


@pytest.mark.parametrize("change", [{"more": 1}, {"crop": None}], ids=["one key more", "one less"])
def test_values_of_another_form_are_no_job(change: dict[str, Any]) -> None:
    values = {"crop": 1, "flip": True} | change
    with pytest.raises(TypeError):
        typed(Augmentation, {key: value for key, value in values.items() if value is not None})


@dataclass(frozen=True)
class Wave:
    """A part of a job with a key that came later."""

    length: float
    cycles: int = later(1)
    phase: float | None = later(None)


@dataclass(frozen=True)
class WavyJob:
    """A job with such parts."""

    waves: list[Wave]
    best: Wave
    mirrored: bool = later(False)


def test_later_keys_are_left_out_where_they_are_neutral_and_come_back() -> None:
    job = WavyJob([Wave(0.5), Wave(0.5, cycles=3)], Wave(1.0, cycles=1, phase=None))
    assert plain(job) == {"waves": [{"length": 0.5}, {"length": 0.5, "cycles": 3}], "best": {"length": 1.0}}
    assert typed(WavyJob, plain(job)) == job
    told = WavyJob([], Wave(1.0), mirrored=True)
    assert plain(told) == {"waves": [], "best": {"length": 1.0}, "mirrored": True}
    assert typed(WavyJob, plain(told)) == told


def test_a_neutral_value_is_told_from_none_and_from_false() -> None:
    assert plain(Wave(0.5, cycles=0)) == {"length": 0.5, "cycles": 0}
    assert plain(Wave(0.5, phase=0.0)) == {"length": 0.5, "phase": 0.0}


def test_every_rule_has_its_stage_and_every_stage_its_rule() -> None:
    modules = {path.stem for path in STAGES_FOLDER.glob("*.py") if not path.stem.startswith("_")}
    assert modules == STAGES.keys() == {stage.rule for stage in STAGES.values()}


@pytest.mark.parametrize("rule", STAGES)
def test_a_stage_runs_a_job_on_files_that_go_in_and_files_that_come_out(rule: str) -> None:
    run = importlib.import_module(f"smearlab.stages.{rule}").run
    assert list(inspect.signature(run).parameters) == ["job", "inputs", "outputs"]
    assert form_of(rule) in KINDS.values()
    assert get_type_hints(run)["return"] is type(None)


def test_students_and_teachers_are_told_the_same_but_for_the_teacher() -> None:
    teacher, student = jobs_of("train_teacher")[0], jobs_of("distill_student")[0]
    own = plain(student).keys() - plain(teacher).keys()
    assert own == {"teacher_recipe", "temperature", "beta", "student_labels", "student_temperature", "view"}
