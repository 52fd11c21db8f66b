"""Every environment installs the versions of requirements.lock."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from smearlab.cli import pins as locks
from smearlab.core.digest import NUMERICAL, locked_versions

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", locks.FAMILIES)
def test_an_environment_is_what_the_lock_says(family):
    assert locks.environment_path(family).read_text(encoding="utf-8") == locks.environment_text(family)


@pytest.mark.parametrize("family", locks.FAMILIES)
def test_an_environment_pins_everything(family):
    content = yaml.safe_load(locks.environment_text(family))
    *conda, pip = content["dependencies"]
    assert conda == [f"python={locks.PYTHON}", "pip"]
    assert all(re.match(r"[a-z0-9-]+==[0-9]\S*( ; [^\n]+)?( --hash=sha256:[0-9a-f]{64})+$", pin) for pin in pip["pip"])
    assert {pin.partition("==")[0] for pin in pip["pip"]} <= set(locked_versions())


def test_every_environment_that_a_rule_names_is_written():
    named = {
        name
        for path in (ROOT / "workflow" / "rules").glob("*.smk")
        for name in re.findall(r"envs/(\w+)\.yaml", path.read_text())
    }
    assert named == set(locks.FAMILIES) == {path.stem for path in (ROOT / "envs").glob("*.yaml")}


def test_every_package_has_one_version_and_hashes():
    assert "--hash=sha256:" in LOCK
    pinned = re.findall(r"^([a-z0-9][a-z0-9.-]*)==[^\n]*\n((?:    --hash=[^\n]*\n?)+)", LOCK, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[a-z0-9]", LOCK, re.MULTILINE))


def test_what_was_asked_for_is_locked():
    asked = re.findall(r"^([A-Za-z0-9._-]+)", (ROOT / "requirements.in").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name.lower().replace("_", "-") for name in asked} <= set(locked_versions())


def test_every_numerical_library_that_is_imported_counts():
    """A library beside these would change numbers without changing a digest."""
    reading_and_showing = "filelock jinja2 markupsafe matplotlib pandas psutil pyarrow pydantic rich safetensors"
    harmless = {*reading_and_showing.split(), "seaborn", "snakemake", "yaml"}
    imported = {
        name.partition(".")[0]
        for path in (ROOT / "smearlab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node)
    }
    assert imported - set(sys.stdlib_module_names) - {"smearlab"} - harmless <= set(NUMERICAL)


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
