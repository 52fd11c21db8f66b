"""What 0.1.0 called everything, and what it asked of each job, stays: results of it are found and stand."""

import json
from collections.abc import Iterator
from pathlib import Path

import golden
import pytest
from pydantic import Field

from smearlab.core import registry, releases
from smearlab.core.jobs import plain
from smearlab.grid import lasting, schema
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import nodes_of
from smearlab.grid.jobs import training_job
from smearlab.grid.load import read_config

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "tests" / "golden" / "jobs-0.1.0.txt"
NEUTRAL = ROOT / "tests" / "golden" / "neutral.json"


def recorded() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in RECORD.read_text(encoding="utf-8").splitlines():
        if text.startswith("# "):
            current = found.setdefault(text.removeprefix("# "), [])
        else:
            current.append(text)
    return found


@pytest.fixture
def supplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden.supply(tmp_path)
    monkeypatch.chdir(tmp_path)


# Configs that came with 0.1.0, as they were then: those that changed since stand beside the record.
def config_of(name: str) -> Path:
    kept = ROOT / "tests" / "golden" / "configs-0.1.0" / name
    return kept if kept.exists() else ROOT / name if name == "config.yaml" else ROOT / "configs" / name


@pytest.mark.parametrize("name", list(recorded()))
def test_paths_and_jobs_of_the_configs_of_0_1_0_are_what_they_were(name: str, supplied: None) -> None:
    now = golden.lines(node for node in nodes_of(load_grid(read_config(config_of(name)))) if compared(node.rule))
    assert now == [text for text in recorded()[name] if compared(text.partition(" ")[0])]


def compared(rule: str) -> bool:
    """Tables, figures and pages are made anew with every release, and may be others."""
    return rule not in ("collect", "summarise", "draw_figure", "write_report", "all")


@pytest.fixture
def one_key_more(monkeypatch: pytest.MonkeyPatch) -> Iterator[type]:
    """The schema with a key `cycles` added to the schedule, whose default has changed since."""
    original = schema.ScheduleConfig

    class ScheduleConfig(original):  # type: ignore[valid-type, misc]
        cycles: int = Field(3, json_schema_extra={"neutral": 1})

    yield ScheduleConfig


def test_a_later_key_is_left_out_of_identities_at_its_neutral_value(one_key_more: type) -> None:
    before = lasting.lasting(schema.ScheduleConfig(name="cosine"))
    assert lasting.lasting(one_key_more(name="cosine", cycles=1)) == before
    assert lasting.lasting(one_key_more(name="cosine")) == {**before, "cycles": 3}


def test_without_a_declaration_the_default_is_neutral() -> None:
    class ScheduleConfig(schema.ScheduleConfig):
        cycles: int = 1

    assert lasting.lasting(ScheduleConfig()) == lasting.lasting(schema.ScheduleConfig())


def later_keys() -> dict[str, object]:
    """Return the neutral value of every key and option that 0.1.0 did not have."""
    found: dict[str, object] = {}
    for model, founding in lasting.FOUNDING.items():
        for name, field in getattr(schema, model).model_fields.items():
            if name not in founding.split():
                found[f"{model}.{name}"] = lasting.neutral(field)
    for kind in registry.ENTRY_FUNCTIONS:
        for name in registry.names(kind):
            later = registry.describe(kind, name).constants.get("LATER", {})
            found |= {f"{kind}.{name}.{option}": value for option, value in later.items()}
    return found


def test_neutral_values_never_change() -> None:
    """A new key or option: add its line to tests/golden/neutral.json. A changed one: results would get a false name."""
    assert json.loads(json.dumps(later_keys())) == json.loads(NEUTRAL.read_text(encoding="utf-8"))


def test_an_option_left_out_as_neutral_is_put_back() -> None:
    for kind in registry.ENTRY_FUNCTIONS:
        for name in registry.names(kind):
            later = registry.describe(kind, name).constants.get("LATER", {})
            assert set(later) <= set(registry.describe(kind, name).options)
            assert registry.without_neutral(kind, name, dict(later)) == {}
            assert registry.filled(kind, name, {}) == later


def test_a_job_of_0_1_0_keeps_its_digest_while_the_code_is_the_one_that_was_shown_to_be_equal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = {"numpy": "1", "torch": "2", "scipy": "3"}
    same = json.loads(releases.RECORD.read_text(encoding="utf-8"))["same"]
    entries = ["smearlab.methods.cross_entropy", "smearlab.optimisers.sgd", "smearlab.schedules.cosine"]
    then = releases.digest_of("train_teacher", entries, same.get, versions)
    assert then is not None and len(then) == 12
    assert releases.digest_of("train_teacher", entries[::-1], same.get, versions) == then
    assert releases.digest_of("train_teacher", entries, same.get, {**versions, "torch": "2.1"}) != then
    other = {**same, "smearlab.optimisers.sgd": "000000000000"}
    assert releases.digest_of("train_teacher", entries, other.get, versions) is None
    assert releases.digest_of("train_teacher", [*entries, "smearlab.methods.new"], same.get, versions) is None


def test_the_default_grid_trains_as_recorded(supplied: None) -> None:
    """One job in full, so that a difference shows what it is."""
    grid = load_grid(read_config(config_of("smoke.yaml")))
    cell = grid.cells[min(grid.cells)]
    job = plain(training_job(cell, "paired-0"))
    assert list(job)[:8] == ["cell", "block", "role", "replicates", "recipe", "method", "n_classes", "modules"]
    assert job["recipe"]["schedule"] == {"name": "cosine", "milestones": [], "factor": 0.1, "warmup": 0.0}
    assert job["recipe"]["optimiser"] == {
        "name": "sgd",
        "learning_rate": job["recipe"]["optimiser"]["learning_rate"],
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": job["recipe"]["optimiser"]["weight_decay"],
    }
