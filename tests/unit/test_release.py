"""What a release says of itself agrees everywhere, and what a commit is checked with is what `make lint` checks."""

import re
import shlex
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from smearlab.core.digest import ROOT
from smearlab.stages._context import code_version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read_yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def hooks() -> dict[str, dict[str, Any]]:
    """The hooks of a commit, by id; all are programs of this checkout, none is fetched."""
    (local,) = read_yaml(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    return {hook["id"]: hook for hook in local["hooks"]}


def test_the_citation_is_of_this_version_name_licence_and_authors() -> None:
    citation = read_yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors", "version"} <= set(citation)
    for key in ("version", "license"):
        assert citation[key] == PROJECT[key]
    assert citation["title"] == PROJECT["name"]
    assert citation["authors"] == PROJECT["authors"]
    assert PROJECT["authors"][0]["name"] in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_newest_heading_of_the_changelog_is_this_version() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == PROJECT["version"] and len(set(headings)) == len(headings)


def test_results_name_this_version() -> None:
    assert code_version().partition("+")[0] == PROJECT["version"]


@pytest.mark.parametrize("tool", ["ruff", "ruff-format", "snakefmt", "codespell"])
def test_a_commit_is_checked_by_the_tools_that_lint_runs(tool: str) -> None:
    assert hooks()[tool]["language"] == "system"
    program, *words = [word for word in shlex.split(hooks()[tool]["entry"]) if not word.startswith("--")]
    command = " ".join([program.replace(".venv/bin/", "$(BIN)/"), *words])
    assert f"\t{command}" in (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint: setup\n")[2]


def test_a_commit_takes_no_large_file(tmp_path) -> None:
    small, large = tmp_path / "a small one", tmp_path / "a large one"
    small.write_bytes(bytes(2**20))
    large.write_bytes(bytes(2**20 + 1))
    check = shlex.split(hooks()["large-files"]["entry"])
    assert subprocess.run([*check, small], capture_output=True).returncode == 0
    refused = subprocess.run([*check, small, large], capture_output=True, text=True)
    assert refused.returncode == 1 and refused.stdout == f"{large}\n"
