"""What all jobs of a grid share is worked out once when Snakemake plans, and planning says the same as before."""

import gc
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.common import get_function_params
from snakemake.sourcecache import SourceCache

from smearlab.host.planning import remember_sources, shared_values, with_signature

ROOT = Path(__file__).parents[2]
GRID = {
    "name": "plan",
    "datasets": {"digits": {"kind": "digits"}},
    "noises": {"symmetric": {"kind": "symmetric", "rates": [0.4]}},
    "recipes": {
        "one": {"architecture": "cnn", "epochs": 1, "block_size": 1},
        "two": {"architecture": "cnn", "epochs": 1, "block_size": 1, "threads": 2},
    },
    "methods": [{"name": "cross_entropy"}],
}


def threads_planned(folder: Path, recipes: list[str]) -> list[str]:
    """The threads that a dry run shows for the trainings of some recipes."""
    content = {**GRID, "recipes": {name: GRID["recipes"][name] for name in recipes}}
    (folder / "plan.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "plan.yaml"]
    command += ["-n", "--cores", "4", "--workflow-profile", "none", "--quiet", "host", "--until", "train_teacher"]
    shown = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, check=True)
    said = (shown.stdout + shown.stderr).split("rule train_teacher:")[1:]
    return sorted(line.strip() for job in said for line in job.split("\n\n")[0].splitlines() if "threads" in line)


@pytest.mark.parametrize(("recipes", "threads"), [(["two"], ["threads: 2"]), (["one", "two"], ["threads: 2"])])
def test_a_dry_run_shows_what_each_job_asks_for(tmp_path: Path, recipes: list[str], threads: list[str]) -> None:
    """One thread is not printed; recipes that differ keep their own numbers."""
    assert threads_planned(tmp_path, recipes) == threads


def test_only_what_all_ask_for_is_shared() -> None:
    assert shared_values([{"threads": 1, "mem_mb": 5}, {"threads": 1, "mem_mb": 6}]) == {"threads": 1}
    assert shared_values([{"gpu": 0}]) == {"gpu": 0}
    assert shared_values([]) == {}


def test_a_noted_signature_is_the_own_one() -> None:
    def function(wildcards: object, attempt: int) -> None: ...

    found = get_function_params(with_signature(function))
    assert found == inspect.signature(function).parameters
    assert get_function_params(function) is found  # looked up, not inspected again


class Sources:
    """A cache of sources that counts how often it looks."""

    def __init__(self) -> None:
        self.looked: list[str] = []

    def _cache(self, file: str) -> str:
        self.looked.append(file)
        return f"cached {file}"

    def get_path(self, file: str) -> str:
        return self._cache(file)


def test_a_source_is_looked_for_once() -> None:
    sources = Sources()
    remember_sources(sources)
    assert [sources.get_path(file) for file in ("a", "b", "a", "a")] == ["cached a", "cached b", "cached a", "cached a"]
    assert sources.looked == ["a", "b"]
    remember_sources(object())  # another Snakemake: nothing to remember, no error


def test_the_installed_snakemake_finds_sources_by_the_name_that_is_wrapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private name: when it is gone, planning is slow again, and nothing but this says so."""
    looked: list[str] = []
    monkeypatch.setattr(SourceCache, "_cache", lambda _, file: looked.append(file) or tmp_path / file)
    sources = SourceCache(tmp_path / "cache", tmp_path / "runtime")
    remember_sources(sources)
    assert [sources.get_path(file) for file in ("a", "a", "b")] == [str(tmp_path / file) for file in ("a", "a", "b")]
    assert looked == ["a", "b"]


def test_the_collector_still_works_in_a_process_that_it_seldom_looks_at() -> None:
    program = "from smearlab.host.planning import collect_seldom; collect_seldom(); import gc; print(gc.isenabled())"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "True" and gc.isenabled()
